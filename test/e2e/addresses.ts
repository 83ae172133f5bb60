// Where things are inside of the node's namespaces. Everything is free there, whatever runs outside or beside them.

/** Addresses and names of one node and what is around it. */
export const ADDRESSES = {
  nodeName: 'e2e-node',
  /** Of the node; its kubelet listens there. */
  node: '10.99.0.1',
  /** Where Pods find what listens on the node's loopback interface, at the same port. */
  backstage: '10.99.0.2',
  /** Of Services; the API server has the first one. */
  services: '10.0.0.0/24',
  apiServer: '10.0.0.1',
  pods: '10.244.0.0/24',
  /** The registry: one of the names that the simulated instance has. */
  registryName: 'acme-registry.cn-hangzhou.cr.aliyuncs.com',
} as const;
