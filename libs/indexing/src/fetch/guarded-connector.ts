import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.js';

/** All addresses of a name, as `dns.lookup` with `all` gives them. */
export type ResolveName = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The cause of a connection that was not even tried. Its message may name the address: for logs, not for clients. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
}

/**
 * Opens sockets for undici, and only to addresses that the policy allows. The name is resolved once and the socket goes
 * to the very addresses that were checked, so that a name that changes its answer in between changes nothing.
 * All addresses of a name must pass: one private address among public ones is the mark of a rebinding name.
 * TLS is by the name, not by the address.
 */
export function guardedConnector(
  policy: AddressPolicy,
  { connectTimeoutMs, resolveName = systemResolve }: { connectTimeoutMs: number; resolveName?: ResolveName },
): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs, lookup: checkedLookup(policy, resolveName) });
  return (options, callback) => {
    const literal = options.hostname.replace(/^\[|\]$/g, '');
    // Node looks up names only: a literal address never reaches the lookup below.
    if (isIP(literal) && !policy.allows(literal)) {
      callback(new AddressRefusedError(`${literal} is not allowed`), null);
      return;
    }
    connect(options, callback);
  };
}

function checkedLookup(policy: AddressPolicy, resolveName: ResolveName): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, (error, addresses) => {
      const refused = addresses?.find(({ address }) => !policy.allows(address));
      if (error) callback(error, []);
      else if (refused) callback(new AddressRefusedError(`${hostname} leads to ${refused.address}`), []);
      else if (addresses.length === 0) callback(new Error(`${hostname} has no address`), []);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

function systemResolve(hostname: string, callback: Parameters<ResolveName>[1]): void {
  systemLookup(hostname, { all: true, order: 'verbatim' }, callback);
}
