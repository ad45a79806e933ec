import { id } from './checks.js';
import { array, integer, object, type Place, refine } from './validate.js';

/**
 * A contiguous range of ids that is seen under other numbers on the other side.
 *
 * @see runtime-spec, config-linux.md, "User namespace mappings"
 */
export interface IdMapping {
  /** First id inside the container (for an idmapped mount: on the mounted file system's side). */
  readonly containerID: number;
  /** First id outside. */
  readonly hostID: number;
  /** How many ids follow, at least one. */
  readonly size: number;
}

const idMapping = refine(
  object<IdMapping>({ containerID: id, hostID: id, size: integer(1, 0xffff_ffff) }, {}),
  (mapping, at) => {
    for (const key of ['containerID', 'hostID'] as const)
      if (mapping[key] + mapping.size > 0xffff_ffff)
        at.report('the range goes beyond the last id, 4294967294', key);
  },
);

/** user_namespaces(7): neither side's ranges may overlap, and there are at most 340. */
export const idMappings = refine(array(idMapping), (mappings, at) => {
  if (mappings.length > 340) at.report(`expected at most 340 ranges, got ${mappings.length}`);
  else for (const key of ['containerID', 'hostID'] as const) refuseOverlap(mappings, key, at);
});

function refuseOverlap(mappings: readonly IdMapping[], key: 'containerID' | 'hostID', at: Place): void {
  const sorted = mappings.map((mapping, index) => ({
    index,
    first: mapping[key],
    end: mapping[key] + mapping.size,
  }));
  sorted.sort((a, b) => a.first - b.first);
  let end = 0;
  for (const range of sorted) {
    if (range.first < end) at.report('overlaps another range', range.index, key);
    end = Math.max(end, range.end);
  }
}
