using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint;

/// <summary>
/// Where operations are computed. Ops talk to a backend at the level of operations, never to SIMD directly. An operation
/// that a backend lacks throws, naming both; it never falls back silently.
/// Every result goes into a tensor that the caller allocated: contiguous, of the right shape and type.
/// </summary>
public abstract class Backend
{
    [ThreadStatic] private static Backend? observed;

    /// <summary>The backend on this thread.</summary>
    public static Backend Current => observed ?? CpuBackend.Instance;

    /// <summary>Hands this thread's operations to an observer until disposed.</summary>
    internal static Observation Observe(Action<Command> execute)
    {
        var before = observed;
        observed = new ObservedBackend(execute);
        return new(before);
    }

    /// <summary>For observers: the op that asks for what is computed, and whether for its backward; null between ops.</summary>
    internal static (string Op, bool IsBackward)? Cause => cause;

    [ThreadStatic] private static (string Op, bool IsBackward)? cause;

    /// <summary>Notes the outermost op, while someone observes; pass the result to <see cref="EndCause"/>.</summary>
    internal static bool BeginCause(string op, bool isBackward = false)
    {
        if (observed is null || cause is not null) return false;
        cause = (op, isBackward);
        return true;
    }

    internal static void EndCause(bool began)
    {
        if (began) cause = null;
    }

    internal readonly struct Observation(Backend? before) : IDisposable
    {
        public void Dispose()
        {
            observed = before;
            cause = null;
        }
    }

    /// <summary>The name in messages.</summary>
    public abstract string Name { get; }

    /// <summary>y = f(x), element by element; x of any layout.</summary>
    public virtual void Map<TLane>(TLane lane, Tensor x, Tensor y) where TLane : struct, IUnaryLane => throw Missing();

    /// <summary>z = f(x, y), broadcast to z's shape.</summary>
    public virtual void Zip<TLane>(TLane lane, Tensor x, Tensor y, Tensor z) where TLane : struct, IBinaryLane => throw Missing();

    /// <summary>w = f(x, y, z), broadcast to w's shape.</summary>
    public virtual void Zip<TLane>(TLane lane, Tensor x, Tensor y, Tensor z, Tensor w) where TLane : struct, ITernaryLane => throw Missing();

    /// <summary>Folds the axes marked in <paramref name="reduced"/>; y holds the remaining axes in order.</summary>
    public virtual void Reduce<TLane>(TLane lane, Tensor x, ReadOnlySpan<bool> reduced, Tensor y) where TLane : struct, IReduceLane => throw Missing();

    /// <summary>Copies x of any layout, and any type, to the contiguous y.</summary>
    public virtual void Copy(Tensor x, Tensor y) => throw Missing();

    /// <summary>All elements 0.</summary>
    public virtual void Clear(Tensor y) => throw Missing();

    /// <summary>Copies x, of any layout, into y of any layout.</summary>
    public virtual void Scatter(Tensor x, Tensor y) => throw Missing();

    /// <summary>
    /// C = f(A·B + bias) over the last two axes, for matching leading axes; A (…, m, k), B (…, k, n) may be transposed views,
    /// bias (n) may be null.
    /// </summary>
    public virtual void MatMul<TLane>(Tensor a, Tensor b, Tensor? bias, TLane activation, Tensor c) where TLane : struct, IUnaryLane => throw Missing();

    /// <summary>Row-wise softmax over the last axis.</summary>
    public virtual void Softmax(Tensor x, Tensor y) => throw Missing();

    /// <summary>Row-wise logarithm of softmax over the last axis.</summary>
    public virtual void LogSoftmax(Tensor x, Tensor y) => throw Missing();

    /// <summary>Convolution of x with w, plus a bias or null, into y.</summary>
    public virtual void Conv2d(ConvShape shape, Tensor x, Tensor w, Tensor? bias, Tensor y) => throw Missing();

    /// <summary>∂L/∂x of a convolution from g = ∂L/∂y.</summary>
    public virtual void Conv2dDataGradient(ConvShape shape, Tensor g, Tensor w, Tensor dx) => throw Missing();

    /// <summary>∂L/∂w of a convolution from x and g = ∂L/∂y.</summary>
    public virtual void Conv2dWeightGradient(ConvShape shape, Tensor x, Tensor g, Tensor dw) => throw Missing();

    /// <summary>The largest of each window, and its number within the window as a byte (in a bool tensor).</summary>
    public virtual void MaxPool2d(PoolShape windows, Tensor x, Tensor y, Tensor index) => throw Missing();

    /// <summary>Sends each gradient to the element that was largest.</summary>
    public virtual void MaxPool2dGradient(PoolShape windows, Tensor g, Tensor index, Tensor dx) => throw Missing();

    /// <summary>Normalises per channel; mean, variance (divided by the count) and 1/√(σ² + ε) are written too.</summary>
    public virtual void BatchNorm(Tensor x, Tensor gamma, Tensor beta, double epsilon, Tensor mean, Tensor variance, Tensor inverseDeviation, Tensor y) => throw Missing();

    /// <summary>The three gradients of batch normalisation.</summary>
    public virtual void BatchNormGradient(Tensor x, Tensor g, Tensor mean, Tensor inverseDeviation, Tensor gamma, Tensor dx, Tensor dgamma, Tensor dbeta) => throw Missing();

    /// <summary>y[…, j, …] = x[…, index[j], …].</summary>
    public virtual void IndexSelect(Tensor x, int axis, int[] index, Tensor y) => throw Missing();

    /// <summary>y[…, index[j], …] += x[…, j, …], from zeros.</summary>
    public virtual void IndexAdd(Tensor x, int axis, int[] index, Tensor y) => throw Missing();

    /// <summary>
    /// Loss of each row, and, where wanted, gradient = scale · (softmax(logits) − target). Logits (n, c), int64 labels.
    /// </summary>
    public virtual void SoftmaxCrossEntropy(
        Tensor logits, Tensor labels, double smoothing, Tensor losses, Tensor? gradient, double scale) =>
        throw Missing();

    /// <summary>The error of an operation that this backend lacks.</summary>
    protected NotSupportedException Missing([CallerMemberName] string operation = "") =>
        new($"{operation}: the {Name} backend does not have this operation");
}
