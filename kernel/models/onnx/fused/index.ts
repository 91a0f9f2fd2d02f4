import { contribDomain } from "../../../graph/index.js";
import type { NodeProto } from "../../../graph/proto/onnx_pb.js";
import type { FoundBlock, NotFound } from "../block.js";
import type { FileView } from "../view.js";
import { groupQuery } from "./groupQuery.js";
import { multiHead } from "./multiHead.js";
import type { FusedOperator } from "./operator.js";
import { openFused } from "./operator.js";
import { packed } from "./packed.js";
import { standard } from "./standard.js";

/** Every fused attention that is written out, by domain and name. */
export const fusedOperators: Readonly<Record<string, FusedOperator>> = {
  ".Attention": standard,
  [`${contribDomain}.Attention`]: packed,
  [`${contribDomain}.GroupQueryAttention`]: groupQuery,
  [`${contribDomain}.MultiHeadAttention`]: multiHead,
};

function foundBlock(view: FileView, node: NodeProto, operator: FusedOperator): FoundBlock {
  const [query, key] = operator.ends(node);
  return {
    node: `${node.opType} ${node.name || node.output[0]}`,
    form: node.domain === "" ? node.opType : `${node.domain}.${node.opType}`,
    place: view.nodes.indexOf(node),
    needs: operator.needs(node),
    ...{ query, key },
    measure: (seen) => operator.measure(node, seen),
    open: (graph, sizes, tap) => openFused(node, graph, operator.terms(node, graph, sizes), tap),
  };
}

/** Attentions that a file leaves to one operator, and operators of that kind that are not known. */
export function findFused(view: FileView): { readonly blocks: FoundBlock[]; readonly not: NotFound[] } {
  const blocks: FoundBlock[] = [];
  const not: NotFound[] = [];
  for (const node of view.nodes.filter(({ opType }) => opType.includes("Attention"))) {
    const domain = node.domain === "ai.onnx" ? "" : node.domain;
    const operator = Object.hasOwn(fusedOperators, `${domain}.${node.opType}`)
      ? fusedOperators[`${domain}.${node.opType}`]
      : undefined;
    if (operator) blocks.push(foundBlock(view, node, operator));
    else
      not.push({ node: `${node.opType} ${node.name || node.output[0]}`, reason: "this operator is not written out" });
  }
  return { blocks, not };
}
