import type { CancelSignal, Engine } from "../graph/index.js";
import type { Picture } from "./pictures/picture.js";

export interface FileStat {
  readonly kind: "file" | "folder";
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The path with every symbolic link resolved. */
  readonly realPath: string;
}

/** The disk, as far as models need it. */
export interface Files {
  /** Undefined where nothing exists. */
  readonly stat: (path: string) => Promise<FileStat | undefined>;
  /** Names in a folder, sorted; empty where there is none. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  /** Throws FormatError unless the bytes are UTF-8. */
  readonly readText: (path: string) => Promise<string>;
  /** Exactly these bytes, or fewer at the end of the file. */
  readonly readBytes: (path: string, offset: number, sizeBytes: number) => Promise<Uint8Array>;
  /** Throws FormatError unless the bytes are UTF-8. */
  readonly decodeText: (bytes: Uint8Array) => string;
  /** Hexadecimal digest of the content; remembered while size and time of the file stay. */
  readonly sha256: (path: string) => Promise<string>;
  /** An absolute path; relative ones start at the working folder, `~` is the home folder. */
  readonly resolve: (...parts: readonly string[]) => string;
}

/** What the models need of the world outside; the facade provides it. */
export interface Host {
  readonly files: Files;
  /**
   * The engine of a device, in float32 where the device lacks the precision asked for; rejects with OptionError or
   * UnsupportedError on a device that cannot be used.
   */
  readonly engine: (device: string, dtype: Engine["dtype"]) => Promise<Engine>;
  /** Folders in which a bare model name is looked up. */
  readonly modelFolders: () => readonly string[];
  /** The folder of the shared Hugging Face cache. */
  readonly hubFolder: () => string;
  /**
   * Fetches a model into that cache and gives its snapshot's folder; throws where it does not come, or must not be asked for.
   */
  readonly download: (id: string, revision: string) => Promise<string>;
  /** Aborts when the reader interrupts the running cell; undefined where nobody can. */
  readonly interruptSignal: () => CancelSignal | undefined;
  /** The pixels of a PNG or JPEG file; throws FormatError or UnsupportedError, `place` first. */
  readonly decodePicture: (place: string, bytes: Uint8Array) => Picture;
  /** Versions for the provenance of results. */
  readonly versions: () => Readonly<Record<"onnxruntime" | "attentionLab", string>>;
}
