using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Picks elements along an axis.</summary>
internal sealed class GatherOp(int axis) : Op
{
    public override string Name => "Gather";
    public override string Formula => "y[…, j, …] = x[…, index[…, j, …], …]";
    public override string Derivation => "∂L/∂x = Σ of g over the places that picked the element, 0 where none did";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, index) = (inputs[0], inputs[1]);
        var fits = index.DType == DType.Int64 && index.Rank == x.Rank;
        for (var a = 0; fits && a < x.Rank; a++) fits = a == axis || index.Shape[a] == x.Shape[a];
        return fits
            ? new(index.Shape, x.DType)
            : throw new AdjointException($"Gather: the index must be int64 and agree with {x.Shape} in every axis but {axis}: found {index.Shape} {index.DType.Label()}");
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var picks = Picks.Resolve("Gather", inputs[1], inputs[0].Shape, axis);
        var x = Copy.Packed(inputs[0]);
        switch (x.DType)
        {
            case DType.Float32: Pick<float>(x, picks, output); break;
            case DType.Float64: Pick<double>(x, picks, output); break;
            case DType.Int64: Pick<long>(x, picks, output); break;
            default: Pick<bool>(x, picks, output); break;
        }
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [Apply(new ScatterAddOp(axis, node.Inputs[0].Shape), gradient, node.Inputs[1]), null];

    private static void Pick<T>(Tensor x, int[] picks, Tensor output) where T : unmanaged
    {
        var from = x.Data<T>();
        var to = output.Data<T>();
        for (var i = 0; i < picks.Length; i++) to[i] = from[picks[i]];
    }
}

/// <summary>The reverse of gather: adds each element at the place from which gather would have picked.</summary>
internal sealed class ScatterAddOp(int axis, Shape to) : Op
{
    public override string Name => "ScatterAdd";
    public override string Formula => "y[…, index[…, j, …], …] += x[…, j, …], from 0";
    public override string Derivation => "∂L/∂x = g, gathered at the same places";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(to, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var picks = Picks.Resolve("ScatterAdd", inputs[1], to, axis);
        var x = Copy.Packed(inputs[0]);
        if (x.DType == DType.Float32) Add<float>(x, picks, inputs[1].Shape[axis], output);
        else Add<double>(x, picks, inputs[1].Shape[axis], output);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [Apply(new GatherOp(axis), gradient, node.Inputs[1]), null];

    private static unsafe void Add<T>(Tensor x, int[] picks, int repeats, Tensor output)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        fixed (T* from = x.Data<T>(), to = output.Data<T>())
            Kernels.ScatterSum.Run(from, picks, repeats, to, 1, output.Length, 1);
    }
}

internal static class Picks
{
    /// <summary>The row-major position in <paramref name="shape"/> that each index names.</summary>
    internal static int[] Resolve(string op, Tensor index, Shape shape, int axis)
    {
        var indices = index.ToArray<long>();
        var picks = new int[indices.Length];
        int inner = 1, outerStep = 1;
        for (var a = axis + 1; a < shape.Rank; a++) inner *= shape[a];
        outerStep = inner * shape[axis];
        var perOuter = inner * index.Shape[axis];
        for (var i = 0; i < picks.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= shape[axis])
                throw new AdjointException($"{op}: index {indices[i]} at element {i} is outside axis {axis} of {shape}; use 0..{shape[axis] - 1}");
            picks[i] = i / perOuter * outerStep + (int)indices[i] * inner + i % inner;
        }
        return picks;
    }
}

/// <summary>Gather, select by index, and the greatest index.</summary>
public static class GatherMethods
{
    extension(Tensor x)
    {
        /// <summary>Picks along an axis: y[i, j] = x[i, index[i, j]] for the last of two axes. The index (int64) has x's shape but for that axis.</summary>
        /// <exception cref="AdjointException">The shapes do not fit, or an index is outside.</exception>
        public Tensor Gather(int axis, Tensor index) => Op.Apply(new GatherOp(x.Shape.Axis(axis, "Gather")), x, index);

        /// <summary>One element of each row: y[i] = x[i, index[i]]; x (n, c), index (n).</summary>
        public Tensor SelectPerRow(Tensor index) => x.Gather(-1, index.Unsqueeze(-1)).Squeeze(-1);

        /// <summary>Where the largest element of an axis is (the first of several; a NaN counts as largest), as int64; the axis disappears.</summary>
        public Tensor ArgMax(int axis = -1)
        {
            var at = x.Shape.Axis(axis, "ArgMax");
            var size = x.Shape[at];
            if (size == 0) throw new AdjointException($"ArgMax: axis {axis} of {x.Shape} is empty");
            var rows = x.Detach().Transpose(at, -1);
            // Each in its own type: as doubles, integers above 2⁵³ would be alike.
            var best = x.DType switch
            {
                DType.Float32 => Largest(rows.ToArray<float>(), size),
                DType.Float64 => Largest(rows.ToArray<double>(), size),
                DType.Int64 => Largest(rows.ToArray<long>(), size),
                _ => Largest(Array.ConvertAll(rows.ToArray<bool>(), value => value ? 1L : 0), size),
            };
            int[] sizes = [.. x.Shape.Sizes];
            (sizes[at], sizes[^1]) = (sizes[^1], sizes[at]);
            sizes[^1] = 1;
            return Tensor.From(best.AsSpan(), sizes).Transpose(at, -1).Contiguous().Squeeze(at);
        }
    }

    private static long[] Largest<T>(T[] values, int size) where T : System.Numerics.INumber<T>
    {
        var best = new long[values.Length / size];
        for (var row = 0; row < best.Length; row++)
        {
            var run = values.AsSpan(row * size, size);
            var at = 0;
            for (var i = 1; i < size; i++)
                if (run[i] > run[at] || T.IsNaN(run[i]) && !T.IsNaN(run[at])) at = i;
            best[row] = at;
        }
        return best;
    }
}
