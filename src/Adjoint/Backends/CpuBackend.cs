using Adjoint.Kernels;

namespace Adjoint;

/// <summary>Computes on the processor, through the vectorised drivers of <see cref="Adjoint.Kernels"/>.</summary>
public sealed unsafe partial class CpuBackend : Backend
{
    /// <summary>The only one.</summary>
    public static CpuBackend Instance { get; } = new();

    private CpuBackend() { }

    /// <inheritdoc/>
    public override string Name => "CPU";

    /// <inheritdoc/>
    public override void Map<TLane>(TLane lane, Tensor x, Tensor y)
    {
        var type = Operands.Result("Map", y);
        Operands.Alike("Map", "x", x, y);
        var source = Packed(x);
        if (type == DType.Float32)
            fixed (float* from = source.Data<float>(), to = y.Data<float>()) Kernels.Map.Run(lane, from, to, y.Length);
        else
            fixed (double* from = source.Data<double>(), to = y.Data<double>()) Kernels.Map.Run(lane, from, to, y.Length);
        GC.KeepAlive(source);
    }

    /// <inheritdoc/>
    public override void Zip<TLane>(TLane lane, Tensor x, Tensor y, Tensor z)
    {
        var type = Operands.Result("Zip", z);
        Operands.Broadcasts("Zip", "x", x, z);
        Operands.Broadcasts("Zip", "y", y, z);
        if (type == DType.Float32) Zip<float, TLane>(lane, x, y, z);
        else Zip<double, TLane>(lane, x, y, z);
    }

    /// <inheritdoc/>
    public override void Zip<TLane>(TLane lane, Tensor x, Tensor y, Tensor z, Tensor w)
    {
        var type = Operands.Result("Zip", w);
        Operands.Broadcasts("Zip", "x", x, w);
        Operands.Broadcasts("Zip", "y", y, w);
        Operands.Broadcasts("Zip", "z", z, w);
        if (type == DType.Float32) Zip3<float, TLane>(lane, x, y, z, w);
        else Zip3<double, TLane>(lane, x, y, z, w);
    }

    private static void Zip<T, TLane>(TLane lane, Tensor x, Tensor y, Tensor z) where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> where TLane : struct, IBinaryLane
    {
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = z.Data<T>())
        {
            if (x.IsContiguous && y.IsContiguous && x.Shape == z.Shape && y.Shape == z.Shape)
                Kernels.Zip.Run(lane, px, py, pz, z.Length);
            else if (IsOneNumber(x) && y.IsContiguous && y.Shape == z.Shape)
                Kernels.Map.Run(new WithLeft<TLane>(lane, double.CreateTruncating(*px)), py, pz, z.Length);
            else if (IsOneNumber(y) && x.IsContiguous && x.Shape == z.Shape)
                Kernels.Map.Run(new WithRight<TLane>(lane, double.CreateTruncating(*py)), px, pz, z.Length);
            else
                Kernels.Zip.RunStrided(lane, px, BroadcastStrides(x, z.Shape), py, BroadcastStrides(y, z.Shape), pz, z.Shape.Sizes);
        }
    }

    // A scalar, or one expanded: the gradient of every sum and mean is such.
    private static bool IsOneNumber(Tensor x)
    {
        if (x.Length == 0) return false;
        foreach (var stride in x.Strides)
            if (stride != 0) return x.Length == 1;
        return true;
    }

    private readonly struct WithLeft<TLane>(TLane lane, double left) : IUnaryLane where TLane : struct, IBinaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => lane.Invoke(V.Splat(left), x);
    }

    private readonly struct WithRight<TLane>(TLane lane, double right) : IUnaryLane where TLane : struct, IBinaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => lane.Invoke(x, V.Splat(right));
    }

    private static void Zip3<T, TLane>(TLane lane, Tensor x, Tensor y, Tensor z, Tensor w) where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> where TLane : struct, ITernaryLane
    {
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>(), pz = &z.Origin<T>(), pw = w.Data<T>())
        {
            if (x.IsContiguous && y.IsContiguous && z.IsContiguous && x.Shape == w.Shape && y.Shape == w.Shape && z.Shape == w.Shape)
                Kernels.Zip3.Run(lane, px, py, pz, pw, w.Length);
            else
                Kernels.Zip3.RunStrided(lane, px, BroadcastStrides(x, w.Shape), py, BroadcastStrides(y, w.Shape), pz, BroadcastStrides(z, w.Shape), pw, w.Shape.Sizes);
        }
    }

    /// <inheritdoc/>
    public override void Reduce<TLane>(TLane lane, Tensor x, ReadOnlySpan<bool> reduced, Tensor y)
    {
        var type = Operands.Result("Reduce", y);
        Operands.Reduced(x, reduced, y);
        // Gather the reduced axes into one contiguous run when they are not one already: [outer, n, inner].
        var (source, outer, n, inner) = AsOneRun(x, reduced);
        if (type == DType.Float32)
            fixed (float* from = source.Data<float>(), to = y.Data<float>()) Kernels.Reduce.Run(lane, from, to, outer, n, inner);
        else
            fixed (double* from = source.Data<double>(), to = y.Data<double>()) Kernels.Reduce.Run(lane, from, to, outer, n, inner);
        GC.KeepAlive(source);
    }

    private static (Tensor Source, nint Outer, nint N, nint Inner) AsOneRun(Tensor x, ReadOnlySpan<bool> reduced)
    {
        var first = reduced.IndexOf(true);
        if (first < 0) return (Packed(x), x.Length, 1, 1);
        var last = reduced.LastIndexOf(true);
        var together = reduced[first..(last + 1)].IndexOf(false) < 0;
        var source = x;
        if (!together)
        {
            int[] order = [.. Kept(reduced, false), .. Kept(reduced, true)];
            source = x.View([.. order.Select(axis => x.Shape[axis])], [.. Array.ConvertAll(order, axis => x.StrideAt(axis))], x.Offset);
        }
        nint outer = 1, n = 1, inner = 1;
        for (var axis = 0; axis < x.Rank; axis++)
            if (reduced[axis]) n *= x.Shape[axis];
            else if (together && axis > last) inner *= x.Shape[axis];
            else outer *= x.Shape[axis];
        return (Packed(source), outer, n, inner);
    }

    private static IEnumerable<int> Kept(ReadOnlySpan<bool> reduced, bool which)
    {
        var axes = new List<int>();
        for (var axis = 0; axis < reduced.Length; axis++)
            if (reduced[axis] == which) axes.Add(axis);
        return axes;
    }

    /// <inheritdoc/>
    public override void Copy(Tensor x, Tensor y)
    {
        Operands.Alike("Copy", "x", x, y);
        Operands.Dense("Copy", "y", y);
        if (x.IsContiguous)
        {
            var size = x.DType.Size();
            x.Storage.Bytes.Slice(x.Offset * size, x.Length * size).CopyTo(y.Storage.Bytes[(y.Offset * size)..]);
            return;
        }
        switch (x.DType.Size())
        {
            case 4: Copy<float>(x, y); break;
            case 8: Copy<double>(x, y); break;
            default: Copy<byte>(x, y); break;
        }
    }

    private static void Copy<T>(Tensor x, Tensor y) where T : unmanaged
    {
        fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>()) Strided.Copy(from, x.Strides, to, x.Shape.Sizes);
    }

    /// <inheritdoc/>
    public override void Clear(Tensor y)
    {
        Operands.Dense("Clear", "y", y);
        y.Storage.Bytes.Slice(y.Offset * y.DType.Size(), y.Length * y.DType.Size()).Clear();
    }

    /// <inheritdoc/>
    public override void Scatter(Tensor x, Tensor y)
    {
        Operands.Alike("Scatter", "x", x, y);
        x = Packed(x);
        switch (x.DType.Size())
        {
            case 4: Scatter<float>(x, y); break;
            case 8: Scatter<double>(x, y); break;
            default: Scatter<byte>(x, y); break;
        }
    }

    private static void Scatter<T>(Tensor x, Tensor y) where T : unmanaged
    {
        fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>()) Strided.Scatter(from, to, y.Strides, y.Shape.Sizes);
    }

    /// <inheritdoc/>
    public override void MatMul<TLane>(Tensor a, Tensor b, Tensor? bias, TLane activation, Tensor c)
    {
        var type = Operands.Result("MatMul", c);
        Operands.Product(a, b, bias, c);
        if (type == DType.Float32) MatMul<float, TLane>(a, b, bias, activation, c);
        else MatMul<double, TLane>(a, b, bias, activation, c);
    }

    private static void MatMul<T, TLane>(Tensor a, Tensor b, Tensor? bias, TLane activation, Tensor c) where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> where TLane : struct, IUnaryLane
    {
        var (left, transA, lda) = AsMatrix(a);
        var (right, transB, ldb) = AsMatrix(b);
        var (m, k, n) = (a.Shape[-2], a.Shape[-1], b.Shape[-1]);
        var offset = bias is null ? null : Packed(bias);
        var aAt = MatrixOffsets(left);
        var bAt = MatrixOffsets(right);
        fixed (T* pa = &left.Origin<T>(), pb = &right.Origin<T>(), pc = c.Data<T>(), pbias = offset is null ? default : offset.Data<T>())
            for (var i = 0; i < aAt.Length; i++)
            {
                var at = pc + (nint)i * m * n;
                if (offset is null && typeof(TLane) == typeof(NoActivation))
                    Gemm.Run(transA, transB, m, n, k, T.One, pa + aAt[i], lda, pb + bAt[i], ldb, T.Zero, at, n);
                else
                    Gemm.Run(transA, transB, m, n, k, T.One, pa + aAt[i], lda, pb + bAt[i], ldb, T.Zero, at, n, pbias, activation);
            }
        GC.KeepAlive(left);
        GC.KeepAlive(right);
        GC.KeepAlive(offset);
    }

    // A matrix whose rows or columns are dense goes in as it lies; anything else is packed first.
    private static (Tensor Matrix, bool Transposed, int Leading) AsMatrix(Tensor x)
    {
        var (rows, columns) = (x.Shape[-2], x.Shape[-1]);
        var (rowStride, columnStride) = (x.StrideAt(x.Rank - 2), x.StrideAt(x.Rank - 1));
        if ((columnStride == 1 || columns == 1) && (rowStride >= columns || rows == 1))
            return (x, false, rows == 1 ? columns : (int)Math.Max(rowStride, columns));
        if ((rowStride == 1 || rows == 1) && (columnStride >= rows || columns == 1))
            return (x, true, columns == 1 ? rows : (int)Math.Max(columnStride, rows));
        return (Packed(x), false, columns);
    }

    private static nint[] MatrixOffsets(Tensor x)
    {
        var count = 1;
        for (var axis = 0; axis < x.Rank - 2; axis++) count *= x.Shape[axis];
        var offsets = new nint[count];
        for (var i = 0; i < count; i++)
            for (int axis = x.Rank - 3, rest = i; axis >= 0; rest /= x.Shape[axis], axis--)
                offsets[i] += rest % x.Shape[axis] * x.StrideAt(axis);
        return offsets;
    }

    /// <inheritdoc/>
    public override void Softmax(Tensor x, Tensor y)
    {
        var type = Operands.Result("Softmax", y);
        Operands.Alike("Softmax", "x", x, y);
        var source = Packed(x);
        var columns = x.Shape[-1];
        var rows = columns == 0 ? 0 : x.Length / columns;
        if (type == DType.Float32)
            fixed (float* from = source.Data<float>(), to = y.Data<float>()) Kernels.Softmax.Rows(from, to, rows, columns);
        else
            fixed (double* from = source.Data<double>(), to = y.Data<double>()) Kernels.Softmax.Rows(from, to, rows, columns);
        GC.KeepAlive(source);
    }

    /// <inheritdoc/>
    public override void LogSoftmax(Tensor x, Tensor y)
    {
        var type = Operands.Result("LogSoftmax", y);
        Operands.Alike("LogSoftmax", "x", x, y);
        var source = Packed(x);
        var columns = x.Shape[-1];
        var rows = columns == 0 ? 0 : x.Length / columns;
        if (type == DType.Float32)
            fixed (float* from = source.Data<float>(), to = y.Data<float>()) Kernels.Softmax.LogRows(from, to, rows, columns);
        else
            fixed (double* from = source.Data<double>(), to = y.Data<double>()) Kernels.Softmax.LogRows(from, to, rows, columns);
        GC.KeepAlive(source);
    }

    /// <inheritdoc/>
    public override void SoftmaxCrossEntropy(
        Tensor logits, Tensor labels, double smoothing, Tensor losses, Tensor? gradient, double scale)
    {
        var type = Operands.Result("SoftmaxCrossEntropy", losses);
        Operands.Labels("SoftmaxCrossEntropy", logits, labels, type);
        Operands.Has("SoftmaxCrossEntropy", "losses", losses, type, logits.Shape[0]);
        if (gradient is not null)
            Operands.HasDense("SoftmaxCrossEntropy", "gradient", gradient, type, logits.Shape.Sizes);
        var (x, y) = (Packed(logits), Packed(labels));
        var (rows, classes) = (x.Shape[0], x.Shape[1]);
        fixed (long* target = y.Data<long>())
            if (type == DType.Float32)
                fixed (float* from = x.Data<float>(), to = losses.Data<float>(), slope = gradient is null
                    ? [] : gradient.Data<float>())
                    Kernels.SoftmaxCrossEntropy.Run(from, target, to, slope, rows, classes, smoothing, scale);
            else
                fixed (double* from = x.Data<double>(), to = losses.Data<double>(), slope = gradient is null
                    ? [] : gradient.Data<double>())
                    Kernels.SoftmaxCrossEntropy.Run(from, target, to, slope, rows, classes, smoothing, scale);
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    /// <summary>The tensor itself, or a contiguous copy.</summary>
    internal static Tensor Packed(Tensor x)
    {
        if (x.IsContiguous) return x;
        var y = Tensor.Empty(x.Shape, x.DType);
        Instance.Copy(x, y);
        GC.KeepAlive(x);
        return y;
    }

    private static nint[] BroadcastStrides(Tensor x, Shape to)
    {
        var strides = new nint[to.Rank];
        var missing = to.Rank - x.Rank;
        for (var axis = missing; axis < to.Rank; axis++)
            strides[axis] = x.Shape[axis - missing] == 1 && to[axis] != 1 ? 0 : x.StrideAt(axis - missing);
        return strides;
    }
}
