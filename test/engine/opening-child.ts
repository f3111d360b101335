/** Opens a database, says so, and closes it. Argument: database. */
import { openStore } from '../../engine/store/sqlite/database.ts';

try {
  const store = await openStore(process.argv[2] as string);
  await store.db.selectFrom('runs').select('id').limit(1).execute();
  await store.close();
  console.log('opened');
} catch (error) {
  console.log(String(error));
}
