using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint;

/// <summary>Convolution, pooling, normalisation and choosing positions.</summary>
public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public override void Conv2d(ConvShape shape, Tensor x, Tensor w, Tensor? bias, Tensor y)
    {
        var type = Operands.Result("Conv2d", y);
        var sizes = Operands.Convolution("Conv2d", shape, x, w, bias, y, type);
        Operands.Apart("Conv2d", x, y);
        Operands.Apart("Conv2d", w, y);
        var (px, pw, pb) = (Packed(x), Packed(w), bias is null ? null : Packed(bias));
        try
        {
            if (type == DType.Float32) Run<float>();
            else Run<double>();
        }
        catch (ScratchLimitException limit)
        {
            throw TooLarge("Conv2d", sizes, limit);
        }
        GC.KeepAlive((px, pw, pb));

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            fixed (T* from = px.Data<T>(), weight = pw.Data<T>(), add = pb is null ? default : pb.Data<T>(),
                to = y.Data<T>()) Convolution.Forward(sizes, from, weight, add, to);
        }
    }

    /// <inheritdoc/>
    public override void Conv2dDataGradient(ConvShape shape, Tensor g, Tensor w, Tensor dx)
    {
        var type = Operands.Result("Conv2dDataGradient", dx);
        var sizes = Operands.Convolution("Conv2dDataGradient", shape, dx, w, null, g, type);
        Operands.Apart("Conv2dDataGradient", g, dx);
        Operands.Apart("Conv2dDataGradient", w, dx);
        var (pg, pw) = (Packed(g), Packed(w));
        try
        {
            if (type == DType.Float32) Run<float>();
            else Run<double>();
        }
        catch (ScratchLimitException limit)
        {
            throw TooLarge("Conv2dDataGradient", sizes, limit);
        }
        GC.KeepAlive((pg, pw));

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            fixed (T* from = pg.Data<T>(), weight = pw.Data<T>(), to = dx.Data<T>())
                Convolution.DataGradient(sizes, from, weight, to);
        }
    }

    /// <inheritdoc/>
    public override void Conv2dWeightGradient(ConvShape shape, Tensor x, Tensor g, Tensor dw)
    {
        var type = Operands.Result("Conv2dWeightGradient", dw);
        var sizes = Operands.Convolution("Conv2dWeightGradient", shape, x, dw, null, g, type);
        Operands.Apart("Conv2dWeightGradient", x, dw);
        Operands.Apart("Conv2dWeightGradient", g, dw);
        var (px, pg) = (Packed(x), Packed(g));
        try
        {
            if (type == DType.Float32) Run<float>();
            else Run<double>();
        }
        catch (ScratchLimitException limit)
        {
            throw TooLarge("Conv2dWeightGradient", sizes, limit);
        }
        GC.KeepAlive((px, pg));

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            fixed (T* from = px.Data<T>(), slope = pg.Data<T>(), to = dw.Data<T>())
                Convolution.WeightGradient(sizes, from, slope, to);
        }
    }

    /// <inheritdoc/>
    public override void MaxPool2d(PoolShape windows, Tensor x, Tensor y, Tensor index)
    {
        var type = Operands.Result("MaxPool2d", y);
        Operands.Windows("MaxPool2d", windows, x, y, index, type);
        var px = Packed(x);
        if (type == DType.Float32) Run<float>();
        else Run<double>();
        GC.KeepAlive(px);

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            fixed (T* from = px.Data<T>(), to = y.Data<T>())
            fixed (bool* which = index.Data<bool>()) Pooling.Max(windows, from, to, (byte*)which);
        }
    }

    /// <inheritdoc/>
    public override void MaxPool2dGradient(PoolShape windows, Tensor g, Tensor index, Tensor dx)
    {
        var type = Operands.Result("MaxPool2dGradient", dx);
        Operands.Windows("MaxPool2dGradient", windows, dx, g, index, type);
        var pg = Packed(g);
        if (type == DType.Float32) Run<float>();
        else Run<double>();
        GC.KeepAlive(pg);

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            fixed (T* from = pg.Data<T>(), to = dx.Data<T>())
            fixed (bool* which = index.Data<bool>()) Pooling.MaxGradient(windows, from, (byte*)which, to);
        }
    }

    /// <inheritdoc/>
    public override void BatchNorm(Tensor x, Tensor gamma, Tensor beta, double epsilon, Tensor mean, Tensor variance, Tensor inverseDeviation, Tensor y)
    {
        var type = Operands.Result("BatchNorm", y);
        Operands.Alike("BatchNorm", "x", x, y);
        var channels = Operands.Channels("BatchNorm", x);
        Operands.Has("BatchNorm", "gamma", gamma, type, channels);
        Operands.Has("BatchNorm", "beta", beta, type, channels);
        Operands.HasDense("BatchNorm", "mean", mean, type, channels);
        Operands.HasDense("BatchNorm", "variance", variance, type, channels);
        Operands.HasDense("BatchNorm", "inverseDeviation", inverseDeviation, type, channels);
        var (px, pg, pb) = (Packed(x), Packed(gamma), Packed(beta));
        if (type == DType.Float32) Run<float>();
        else Run<double>();
        GC.KeepAlive((px, pg, pb));

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var (n, c) = (x.Shape[0], x.Shape[1]);
            var s = n * c == 0 ? 0 : x.Length / (n * c);
            var scale = new T[c];
            fixed (T* from = px.Data<T>(), to = y.Data<T>(), mu = mean.Data<T>(), squared = variance.Data<T>(),
                inverse = inverseDeviation.Data<T>(), a = scale, b = pb.Data<T>())
            {
                Kernels.BatchNorm.Statistics(from, mu, squared, n, c, s);
                for (var i = 0; i < c; i++)
                {
                    inverse[i] = T.One / T.Sqrt(squared[i] + T.CreateTruncating(epsilon));
                    a[i] = pg.Data<T>()[i] * inverse[i];
                }
                Kernels.BatchNorm.Apply(from, mu, a, b, to, n, c, s);
            }
        }
    }

    /// <inheritdoc/>
    public override void BatchNormGradient(Tensor x, Tensor g, Tensor mean, Tensor inverseDeviation, Tensor gamma, Tensor dx, Tensor dgamma, Tensor dbeta)
    {
        var type = Operands.Result("BatchNormGradient", dx);
        Operands.Alike("BatchNormGradient", "x", x, dx);
        Operands.Alike("BatchNormGradient", "g", g, dx);
        var channels = Operands.Channels("BatchNormGradient", x);
        Operands.HasDense("BatchNormGradient", "mean", mean, type, channels);
        Operands.HasDense("BatchNormGradient", "inverseDeviation", inverseDeviation, type, channels);
        Operands.Has("BatchNormGradient", "gamma", gamma, type, channels);
        Operands.HasDense("BatchNormGradient", "dgamma", dgamma, type, channels);
        Operands.HasDense("BatchNormGradient", "dbeta", dbeta, type, channels);
        var (px, pg, scale) = (Packed(x), Packed(g), Packed(gamma));
        if (type == DType.Float32) Run<float>();
        else Run<double>();
        GC.KeepAlive((px, pg, scale));

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var (n, c) = (x.Shape[0], x.Shape[1]);
            fixed (T* from = px.Data<T>(), slope = pg.Data<T>(), mu = mean.Data<T>(), inverse = inverseDeviation.Data<T>(), factor = scale.Data<T>(), to = dx.Data<T>(), tg = dgamma.Data<T>(), tb = dbeta.Data<T>())
                Kernels.BatchNorm.Gradient(from, slope, mu, inverse, factor, to, tg, tb, n, c, n * c == 0 ? 0 : x.Length / (n * c));
        }
    }

    /// <inheritdoc/>
    public override void IndexSelect(Tensor x, int axis, int[] index, Tensor y)
    {
        Operands.Positions("IndexSelect", x, axis, index, y);
        Operands.Dense("IndexSelect", "y", y);
        var px = Packed(x);
        var (inner, size) = (Inner(x.Shape, axis), x.DType.Size());
        var from = px.Storage.Bytes[(px.Offset * size)..];
        var to = y.Storage.Bytes[(y.Offset * size)..];
        var outer = index.Length == 0 || inner == 0 ? 0 : y.Length / (index.Length * inner);
        for (var o = 0; o < outer; o++)
            for (var j = 0; j < index.Length; j++)
                from.Slice((o * x.Shape[axis] + index[j]) * inner * size, inner * size).CopyTo(to[((o * index.Length + j) * inner * size)..]);
        GC.KeepAlive(px);
    }

    /// <inheritdoc/>
    public override void IndexAdd(Tensor x, int axis, int[] index, Tensor y)
    {
        var type = Operands.Result("IndexAdd", y);
        Operands.Positions("IndexAdd", y, axis, index, x);
        var px = Packed(x);
        if (type == DType.Float32) Run<float>();
        else Run<double>();
        GC.KeepAlive(px);

        void Run<T>() where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var inner = Inner(x.Shape, axis);
            var outer = inner == 0 || y.Shape[axis] == 0 ? 0 : y.Length / (y.Shape[axis] * inner);
            fixed (T* from = px.Data<T>(), to = y.Data<T>())
                ScatterSum.Run(from, index, index.Length, to, outer, y.Shape[axis], inner);
        }
    }

    private static AdjointException TooLarge(string operation, in ConvShape shape, ScratchLimitException limit) => new(
        $"{operation}: for {shape.Samples} images of {shape.Channels} channels, {shape.Height}×{shape.Width} with "
            + $"padding {shape.PadHeight} and {shape.PadWidth}, {limit.Message}; take fewer images at a time or "
            + $"less padding",
        limit);

    private static int Inner(Shape shape, int axis)
    {
        var inner = 1;
        for (var i = axis + 1; i < shape.Rank; i++) inner *= shape[i];
        return inner;
    }
}
