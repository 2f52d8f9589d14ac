import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** The only part of IPv6 that is given out for the public internet. */
const globalUnicast: Network = [ipaddr.parse('2000::'), 3];
const nat64: Network = [ipaddr.parse('64:ff9b::'), 96];

/** Public by its number, yet the host's own: where Azure serves metadata and credentials to its machines. */
const hostServices = new Set(['168.63.129.16']);

/**
 * Which addresses may be connected to: those of the public internet, and the networks that the operator allows.
 * Loopback, private, link-local (with the clouds' metadata services), carrier-grade NAT, multicast and reserved
 * addresses are refused by IANA's registries of special purpose, and so is IPv6 that carries an IPv4 address inside
 * (6to4, Teredo, NAT64, IPv4-compatible): its far end is not what the policy would have seen.
 */
export class AddressPolicy {
  private readonly allowed: readonly Network[];

  /** @param allowNetworks in CIDR notation, for example 10.1.0.0/16 */
  constructor(allowNetworks: readonly string[] = []) {
    this.allowed = allowNetworks.map((network) => ipaddr.parseCIDR(network));
  }

  /** What is not an address at all is not allowed. */
  allows(text: string): boolean {
    // ipaddr.js takes ::8.8.8.8 (IPv4-compatible, long abandoned) for ::ffff:8.8.8.8; the system does not.
    if (!ipaddr.isValid(text) || /^::\d+\.\d/.test(text)) return false;
    // ::ffff:127.0.0.1 is 127.0.0.1 to the operating system.
    return this.allowsAddress(ipaddr.process(text));
  }

  private allowsAddress(address: Address): boolean {
    const isAllowed = this.allowed.some((network) => isIn(address, network));
    if (address instanceof ipaddr.IPv4) {
      return isAllowed || (address.range() === 'unicast' && !hostServices.has(address.toString()));
    }
    // Allowing NAT64 opens the way to public IPv4, not to the private networks behind the same gateway.
    if (isIn(address, nat64)) return isAllowed && this.allowsAddress(embeddedIPv4(address));
    return isAllowed || (address.range() === 'unicast' && isIn(address, globalUnicast));
  }
}

function isIn(address: Address, [network, prefixBits]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, prefixBits);
}

function embeddedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 {
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}
