import { create } from "@bufbuild/protobuf";
import type { DType } from "../tensor/index.js";
import type { ValueInfoProto } from "./proto/onnx_pb.js";
import { TensorProto_DataType as Element, ValueInfoProtoSchema } from "./proto/onnx_pb.js";
import type { Type, Value } from "./value.js";

export const elementTypes: Readonly<Record<DType | "bfloat16", Element>> = {
  float32: Element.FLOAT,
  float64: Element.DOUBLE,
  float16: Element.FLOAT16,
  bfloat16: Element.BFLOAT16,
  int64: Element.INT64,
  int32: Element.INT32,
  bool: Element.BOOL,
  uint8: Element.UINT8,
};

/** The name of a value with its type; axis words become dim_param. */
export function valueInfo(name: string, { shape, dtype, file }: Type & Pick<Value, "file">): ValueInfoProto {
  // What a file computes has the shape that onnxruntime finds.
  if (file) return create(ValueInfoProtoSchema, { name });
  const dim = shape.map((size) =>
    typeof size === "number"
      ? { value: { case: "dimValue" as const, value: BigInt(size) } }
      : { value: { case: "dimParam" as const, value: size } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: elementTypes[dtype], shape: { dim } } } },
  });
}
