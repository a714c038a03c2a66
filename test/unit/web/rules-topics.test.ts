/** Topics of `off_subject` as they are typed: parted by any comma or line, and left out where there are none. */
import { describe, expect, it } from 'vitest';
import { withTopics } from '../../../cloud/web/state/rules-draft.ts';

describe('withTopics', () => {
  const fields = { share: 0.05, topics: ['路'] };

  it('takes words parted by commas of either kind or lines', () => {
    expect(withTopics(fields, '电梯、 医院，asphalt\n道路,')).toEqual({
      share: 0.05,
      topics: ['电梯', '医院', 'asphalt', '道路'],
    });
  });

  it('leaves the key out where nothing is typed: a pack with an empty list would be another pack', () => {
    expect(withTopics(fields, ' \n')).toEqual({ share: 0.05 });
  });
});
