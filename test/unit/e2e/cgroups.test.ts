import { describe, expect, test } from '@jest/globals';
import { parseCgroupMounts } from '../../e2e/cgroups.ts';

const line = (of: { root?: string; at: string; type?: string; options?: string }): string =>
  `33 31 0:30 ${of.root ?? '/'} ${of.at} rw,relatime - ${of.type ?? 'cgroup'} cgroup ${of.options ?? 'rw'}`;

describe('the hierarchies of cgroups', () => {
  test.each<[string, string, string, ReturnType<typeof parseCgroupMounts>]>([
    [
      'version 1, each with the folder of this process',
      [
        line({ at: '/sys/fs/cgroup/cpu', options: 'rw,cpu,cpuacct' }),
        line({ at: '/sys/fs/cgroup/memory', options: 'rw,memory' }),
      ].join('\n'),
      '5:memory:/jobs/7\n4:cpu,cpuacct:/',
      [
        { mountPoint: '/sys/fs/cgroup/cpu', controllers: 'cpu,cpuacct', own: '/sys/fs/cgroup/cpu' },
        { mountPoint: '/sys/fs/cgroup/memory', controllers: 'memory', own: '/sys/fs/cgroup/memory/jobs/7' },
      ],
    ],
    [
      'named ones, without the options that every mount may have',
      line({ at: '/sys/fs/cgroup/systemd', options: 'rw,xattr,release_agent=/x,name=systemd' }),
      '1:name=systemd:/init.scope',
      [{ mountPoint: '/sys/fs/cgroup/systemd', controllers: 'name=systemd', own: '/sys/fs/cgroup/systemd/init.scope' }],
    ],
    [
      'version 2',
      line({ at: '/sys/fs/cgroup', type: 'cgroup2', options: 'rw,nsdelegate' }),
      '0::/user.slice/session-2.scope',
      [{ mountPoint: '/sys/fs/cgroup', controllers: undefined, own: '/sys/fs/cgroup/user.slice/session-2.scope' }],
    ],
    [
      'version 2 beside version 1',
      [line({ at: '/c/pids', options: 'rw,pids' }), line({ at: '/c/unified', type: 'cgroup2' })].join('\n'),
      '8:pids:/a\n0::/b',
      [
        { mountPoint: '/c/pids', controllers: 'pids', own: '/c/pids/a' },
        { mountPoint: '/c/unified', controllers: undefined, own: '/c/unified/b' },
      ],
    ],
    [
      'one of which a container sees its own part alone',
      line({ root: '/docker/abc', at: '/sys/fs/cgroup/pids', options: 'rw,pids' }),
      '3:pids:/docker/abc/inner',
      [{ mountPoint: '/sys/fs/cgroup/pids', controllers: 'pids', own: '/sys/fs/cgroup/pids/inner' }],
    ],
    [
      'one that is mounted below the place of this process',
      line({ root: '/docker/abc', at: '/sys/fs/cgroup/pids', options: 'rw,pids' }),
      '3:pids:/elsewhere',
      [{ mountPoint: '/sys/fs/cgroup/pids', controllers: 'pids', own: '/sys/fs/cgroup/pids' }],
    ],
    ['none, among other mounts', line({ at: '/proc', type: 'proc' }), '', []],
  ])('are read: %s', (_, mountinfo, membership, expected) => {
    expect(parseCgroupMounts(mountinfo, membership)).toEqual(expected);
  });
});
