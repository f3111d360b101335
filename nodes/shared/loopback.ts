/** Whether an address, with or without its scheme, is that of the machine itself. */
export const isLoopback = (address: string): boolean =>
  /^(\w+:\/\/)?(localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)/.test(address);
