import {
  diagramParts,
  isOnStream,
  type DiagramActivation,
  type DiagramLevel,
  type ModelDiagramPayload,
} from "attention-lab/views";

/** A place of a model, or something that holds places. */
export interface DiagramNode {
  readonly kind: "level" | "block" | "part" | "place";
  readonly label: string;
  /** `blocks.3.attn.pattern`; with `*` for what holds several. */
  readonly address: string;
  readonly shape?: readonly (number | string)[];
  /** Whether it lies on the residual stream itself. */
  readonly isOnStream: boolean;
  readonly children: () => readonly DiagramNode[];
}

/** The places of a model from its inputs to its outputs, blocks one by one. */
export function nodesOf({ levels }: ModelDiagramPayload): readonly DiagramNode[] {
  return levels.flatMap((level) => (level.path === "" ? runsOf(level.activations, undefined, "") : [levelNode(level)]));
}

function levelNode({ path, layers, activations }: DiagramLevel): DiagramNode {
  const block = (layer: number): DiagramNode => ({
    kind: "block",
    label: `${path}.${layer}`,
    address: `${path}.${layer}.*`,
    isOnStream: false,
    children: () =>
      runsOf(
        activations.filter(({ only }) => only === undefined || only.includes(layer)),
        layer,
        `${path}.${layer}`,
      ),
  });
  return {
    kind: "level",
    label: layers > 1 ? `${path} × ${layers}` : path,
    address: `${path}.*`,
    isOnStream: false,
    children: () => Array.from({ length: layers }, (_, layer) => block(layer)),
  };
}

/** Places on the stream, and the parts beside it, in order. */
function runsOf(
  activations: readonly DiagramActivation[],
  layer: number | undefined,
  path: string,
): readonly DiagramNode[] {
  return diagramParts(activations).flatMap((run): readonly DiagramNode[] => {
    const part = run[0]?.part ?? "";
    const places = run.map((each) => placeNode(each, layer));
    if (part === "") return places;
    const address = [path, part, "*"].filter(Boolean).join(".");
    return [{ kind: "part", label: part, address, isOnStream: false, children: () => places }];
  });
}

function placeNode(activation: DiagramActivation, layer: number | undefined): DiagramNode {
  const { address, name, shape } = activation;
  return {
    kind: "place",
    label: name,
    address: layer === undefined ? address : address.replace("*", String(layer)),
    shape,
    isOnStream: isOnStream(activation),
    children: () => [],
  };
}

/** `[batch, 12, query, key]` */
export function shapeText(shape: readonly (number | string)[]): string {
  return `[${shape.join(", ")}]`;
}
