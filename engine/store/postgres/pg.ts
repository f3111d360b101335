/** The client library, in a file of its own that is loaded only where a database on PostgreSQL is used. */
import pg from 'pg';

export const { Client, Pool, types } = pg;
