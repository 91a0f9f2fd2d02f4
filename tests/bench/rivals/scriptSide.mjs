// The comparison's side in jax-js or tfjs: answers one JSON line per request with the processor and wall time it took.
//   node scriptSide.mjs <folder with node_modules> jax|tfjs
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, kind] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${folder}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const sizeOf = (shape) => shape.reduce((product, dim) => product * dim, 1);

/** Weights of a flat block by name, as `make(numbers, shape)` makes them. */
function weightsOf(spec, flat, make) {
  let at = 0;
  return Object.fromEntries(
    spec.weights.map(([name, shape]) => [name, make(flat.slice(at, (at += sizeOf(shape))), shape)]),
  );
}

async function jaxSide() {
  const { default: module, ...named } = await load("@jax-js/jax");
  const { numpy: np, nn, jit, valueAndGrad, init, defaultDevice, tree } = named.numpy ? named : module;
  await init("wasm");
  defaultDevice("wasm");
  // An array is used up by what reads it; `.ref` keeps it for one reader more.
  const norm = (x, g, b) => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(g)
      .add(b);
  };
  let state;
  let step;
  return {
    open({ spec, path, rate, epsilon, beta1, beta2, ids, targets }) {
      const { layers, width, heads, batch, length, vocab } = spec;
      const flat = new Float32Array(new Uint8Array(readFileSync(path)).buffer);
      const weights = weightsOf(spec, flat, (data, shape) => np.array(data).reshape(shape));
      const zeros = () => Object.fromEntries(spec.weights.map(([name, shape]) => [name, np.zeros(shape)]));
      state = { weights, mean: zeros(), square: zeros(), turn: np.array(0) };
      const hot = (values) =>
        nn.oneHot(np.array(Int32Array.from(values), { dtype: np.int32 }), vocab).reshape([batch, length, vocab]);
      const data = { ids: hot(ids), targets: hot(targets) };
      const above = Float32Array.from({ length: length * length }, (_, i) => (i % length > i / length ? -1e9 : 0));
      const mask = np.array(above).reshape([length, length]);
      const loss = (w, x0, y) => {
        const split = (x) => np.transpose(x.reshape([batch, length, heads, width / heads]), [0, 2, 1, 3]);
        let x = np.matmul(x0, w.embed.ref).add(w.position);
        for (let i = 0; i < layers; i++) {
          const own = (name) => w[`${i}.${name}`];
          const qkv = np.matmul(norm(x.ref, own("ln1.g"), own("ln1.b")), own("qkv.w")).add(own("qkv.b"));
          const [q, k, v] = np.split(qkv, 3, -1).map(split);
          const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).mul(1 / Math.sqrt(width / heads));
          const pattern = nn.softmax(scores.add(mask.ref), -1);
          const z = np.transpose(np.matmul(pattern, v), [0, 2, 1, 3]).reshape([batch, length, width]);
          x = x.add(np.matmul(z, own("out.w")).add(own("out.b")));
          const h = np.matmul(norm(x.ref, own("ln2.g"), own("ln2.b")), own("up.w")).add(own("up.b"));
          x = x.add(np.matmul(nn.gelu(h, { approximate: true }), own("down.w")).add(own("down.b")));
        }
        const logits = np.matmul(norm(x, w["ln.g"], w["ln.b"]), np.transpose(w.embed));
        return np.sum(nn.logSoftmax(logits, -1).mul(y)).mul(-1 / (batch * length));
      };
      const compiled = jit(({ weights: w, mean, square, turn }, x, y) => {
        const [value, d] = valueAndGrad(loss)(tree.ref(w), x, y);
        const next = turn.add(1);
        const left = (beta) => np.subtract(1, np.exp(next.ref.mul(Math.log(beta))));
        const [left1, left2] = [left(beta1), left(beta2)];
        const size = np.sqrt(left2.ref).div(left1).mul(rate);
        const small = np.sqrt(left2).mul(epsilon);
        const out = { weights: {}, mean: {}, square: {}, turn: next };
        for (const name of Object.keys(w)) {
          out.mean[name] = mean[name].mul(beta1).add(d[name].ref.mul(1 - beta1));
          out.square[name] = square[name].mul(beta2).add(np.square(d[name]).mul(1 - beta2));
          const scaled = out.mean[name].ref.div(np.sqrt(out.square[name].ref).add(small.ref));
          out.weights[name] = w[name].sub(scaled.mul(size.ref));
        }
        return [out, value];
      });
      step = () => compiled(state, data.ids.ref, data.targets.ref);
      return {};
    },
    async train({ steps }) {
      const losses = [];
      for (let i = 0; i < steps; i++) {
        const [next, loss] = step();
        state = next;
        losses.push((await loss.data())[0]);
      }
      return { check: losses };
    },
  };
}

async function tfjsSide() {
  const module = await load("@tensorflow/tfjs");
  const tf = module.default ?? module;
  await load("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  await tf.ready();
  let step;
  return {
    open({ spec, path, rate, epsilon, ids, targets }) {
      const { layers, width, heads, batch, length, vocab } = spec;
      const flat = new Float32Array(new Uint8Array(readFileSync(path)).buffer);
      const w = weightsOf(spec, flat, (data, shape) => tf.variable(tf.tensor(data, shape)));
      const hot = (values) => tf.oneHot(tf.tensor1d(values, "int32"), vocab).toFloat();
      const [x0, y] = [hot(ids), hot(targets)];
      const above = Float32Array.from({ length: length * length }, (_, i) => (i % length > i / length ? -1e9 : 0));
      const mask = tf.tensor(above, [length, length]);
      const norm = (x, g, b) => {
        const centred = x.sub(x.mean(-1, true));
        return centred.div(centred.square().mean(-1, true).add(1e-5).sqrt()).mul(g).add(b);
      };
      const gelu = (x) =>
        x.mul(0.5).mul(
          x
            .add(x.mul(x).mul(x).mul(0.044715))
            .mul(Math.sqrt(2 / Math.PI))
            .tanh()
            .add(1),
        );
      const split = (x) => x.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
      const loss = () => {
        const linear = (x, name) => x.matMul(w[`${name}.w`]).add(w[`${name}.b`]);
        let x = x0
          .matMul(w.embed)
          .reshape([batch, length, width])
          .add(w.position)
          .reshape([batch * length, width]);
        for (let i = 0; i < layers; i++) {
          const qkv = linear(norm(x, w[`${i}.ln1.g`], w[`${i}.ln1.b`]), `${i}.qkv`);
          const [q, k, v] = tf.split(qkv, 3, 1).map(split);
          const pattern = q
            .matMul(k, false, true)
            .mul(1 / Math.sqrt(width / heads))
            .add(mask)
            .softmax();
          const z = pattern
            .matMul(v)
            .transpose([0, 2, 1, 3])
            .reshape([batch * length, width]);
          x = x.add(linear(z, `${i}.out`));
          x = x.add(linear(gelu(linear(norm(x, w[`${i}.ln2.g`], w[`${i}.ln2.b`]), `${i}.up`)), `${i}.down`));
        }
        const logits = norm(x, w["ln.g"], w["ln.b"]).matMul(w.embed, false, true);
        return tf
          .logSoftmax(logits)
          .mul(y)
          .sum()
          .mul(-1 / (batch * length));
      };
      const optimiser = tf.train.adam(rate, 0.9, 0.999, epsilon);
      step = () => optimiser.minimize(loss, true);
      return {};
    },
    async train({ steps }) {
      const losses = [];
      for (let i = 0; i < steps; i++) {
        const loss = step();
        losses.push((await loss.data())[0]);
        loss.dispose();
      }
      return { check: losses };
    },
  };
}

const side = await (kind === "jax" ? jaxSide() : tfjsSide());
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const answer = await side[request.do](request);
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(`${JSON.stringify({ ...answer, wallMs, cpuMs: (user + system) / 1000 })}\n`);
}
