/** Height that no head at full size exceeds, CSS pixels. */
export const tallest = 560;
