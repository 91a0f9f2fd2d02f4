/** A class of values that have these fields and nothing else. */
export type RecordClass<Fields extends object> = new (fields: Fields) => Readonly<Fields>;

/**
 * A class to extend where an interface is to have methods: the fields stand in the interface alone.
 *
 * Example  const Row: RecordClass<RowFields> = recordOf(); class NamedRow extends Row { get name(): string { … } }
 */
export function recordOf<Fields extends object>(): RecordClass<Fields> {
  return class {
    constructor(fields: Fields) {
      Object.assign(this, fields);
    }
  } as unknown as RecordClass<Fields>;
}
