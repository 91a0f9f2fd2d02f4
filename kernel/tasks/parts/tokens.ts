/** What a task asks of a model's tokenizer. */
export interface TokenNames {
  /** The id of a text that is one token; throws where it is several. */
  readonly tokenId: (text: string) => number;
}

/** Whether a text is one token. */
export function isToken(model: TokenNames, text: string): boolean {
  try {
    model.tokenId(text);
    return true;
  } catch (error) {
    if ((error as Error).name === "OptionError") return false;
    throw error;
  }
}
