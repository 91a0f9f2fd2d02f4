export { bigramBackcopy, bigramFloor, type BigramBackcopyOptions } from "./bigramBackcopy.js";
export { bpe, type Bpe, type BpeOptions } from "./bpe.js";
export { ConvexHull, convexHull, type ConvexHullOptions, type HullBatch, hullOf } from "./convexHull.js";
export { copying, type CopyingOptions } from "./copying.js";
export { coloredObjects, type ColoredObjectsOptions, type ColoredObjectsTask } from "./coloredObjects.js";
export { type Domain, domains, type DomainsOptions } from "./domains.js";
export { greaterThan, type GreaterThanOptions, type GreaterThanTask } from "./greaterThan.js";
export { ioi, type IoiOptions, type IoiTask } from "./ioi.js";
export {
  LinearRegression,
  linearRegression,
  type LinearRegressionOptions,
  type RegressionBatch,
} from "./linearRegression.js";
export { matchThree, type MatchThreeOptions } from "./matchThree.js";
export { mqar, type MqarOptions } from "./mqar.js";
export { needle, type NeedleOptions, type NeedleTask } from "./needle.js";
export { passkey, type PasskeyOptions } from "./passkey.js";
export { type RepeatedTokens, repeatedTokens, type RepeatedTokensOptions } from "./repeatedTokens.js";
export { reversal, type ReversalOptions } from "./reversal.js";
export { ScanAndSnap, scanAndSnap, type ScanAndSnapOptions } from "./scanAndSnap.js";
export { shapes, type ShapesOptions } from "./shapes.js";
export { sorting, type SortingOptions } from "./sorting.js";
export { text, type TextOptions } from "./text.js";
export { type Split, type TaskBatch, type TaskRow, TokenTask, type TokenTaskParts } from "./parts/tokenTask.js";
export { type PictureBatch, type PictureRow, PictureTask, type PictureTaskParts } from "./parts/pictureTask.js";
