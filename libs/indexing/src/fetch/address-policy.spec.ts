import { describe, expect, it } from 'vitest';
import { AddressPolicy } from './address-policy.js';

const refused: [string, ...string[]][] = [
  ['this host', '0.0.0.0', '0.1.2.3', '::'],
  ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
  ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd00:ec2::254'],
  ['link-local and metadata', '169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', '168.63.129.16'],
  ['carrier-grade NAT', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
  ['multicast', '224.0.0.1', '239.255.255.250', 'ff02::1'],
  [
    'reserved',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '255.255.255.255',
  ],
  ['reserved in IPv6', '100::1', '2001:db8::1', '3fff::1', 'fec0::1', '4000::1', '5f00::1'],
  ['IPv4-mapped', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:169.254.169.254'],
  ['IPv4-compatible', '::127.0.0.1', '::7f00:1', '::8.8.8.8'],
  ['IPv4-translated', '::ffff:0:127.0.0.1', '::ffff:0:8.8.8.8'],
  ['NAT64', '64:ff9b::127.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::10.0.0.1', '64:ff9b::8.8.8.8'],
  ['6to4', '2002:7f00:1::', '2002:0a00:0001::1', '2002:808:808::1'],
  ['Teredo', '2001::1', '2001:0:4136:e378:8000:63bf:80ff:fffe'],
  ['no address', '', 'localhost', 'example.com', '1.2.3.4.5', '::ffff:999.0.0.1', '12345::'],
];

describe('AddressPolicy', () => {
  it.each(refused)('refuses %s', (_kind, ...addresses) => {
    const policy = new AddressPolicy();
    for (const address of addresses) expect(policy.allows(address), address).toBe(false);
  });

  it('allows the public internet', () => {
    const policy = new AddressPolicy();
    for (const address of [
      '8.8.8.8',
      '93.184.216.34',
      '172.32.0.1',
      '100.128.0.1',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
    ])
      expect(policy.allows(address), address).toBe(true);
  });

  it('allows the networks of the operator and nothing beside them', () => {
    const policy = new AddressPolicy(['10.1.0.0/16', '127.0.0.1/32', 'fd12:3456::/32']);
    for (const address of ['10.1.255.1', '127.0.0.1', '::ffff:127.0.0.1', 'fd12:3456::1'])
      expect(policy.allows(address), address).toBe(true);
    for (const address of ['10.2.0.1', '127.0.0.2', '::ffff:10.2.0.1', 'fd12:3457::1', '::1'])
      expect(policy.allows(address), address).toBe(false);
  });

  it('allows through NAT64 only what it allows without', () => {
    const policy = new AddressPolicy(['64:ff9b::/96', '10.1.0.0/16']);
    expect(policy.allows('64:ff9b::8.8.8.8')).toBe(true);
    expect(policy.allows('64:ff9b::10.1.0.1')).toBe(true);
    expect(policy.allows('64:ff9b::10.2.0.1')).toBe(false);
    expect(policy.allows('64:ff9b::169.254.169.254')).toBe(false);
  });
});
