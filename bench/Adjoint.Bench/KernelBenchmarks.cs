using Adjoint.Kernels;
using BenchmarkDotNet.Attributes;

namespace Adjoint.Bench;

/// <summary>Single kernels, on one thread.</summary>
public unsafe class KernelBenchmarks
{
    private readonly float[] x = new float[1 << 20], y = new float[1 << 20], z = new float[1 << 20];

    /// <summary>Elements of the element-wise kernels; side of the square matrices is its root.</summary>
    [Params(1 << 12, 1 << 20)]
    public int Length { get; set; }

    /// <summary>One thread; values from −1 to 1.</summary>
    [GlobalSetup]
    public void Setup()
    {
        Workers.ThreadCount = 1;
        for (var i = 0; i < x.Length; i++) (x[i], y[i]) = (MathF.Sin(i), MathF.Cos(i));
    }

    /// <summary>C = A·B, square.</summary>
    [Benchmark]
    public void Product()
    {
        var n = (int)Math.Sqrt(Length);
        fixed (float* a = x, b = y, c = z) Gemm.Run(false, false, n, n, n, 1f, a, n, b, n, 0f, c, n);
    }

    /// <summary>z = σ(x).</summary>
    [Benchmark]
    public void Sigmoid()
    {
        fixed (float* a = x, c = z) Map.Run(new SigmoidOperator(), a, c, Length);
    }

    /// <summary>Σ x.</summary>
    [Benchmark]
    public void Sum()
    {
        fixed (float* a = x, c = z) Reduce.Run(new SumOperator(), a, c, 1, Length, 1);
    }

    /// <summary>Rows of 64.</summary>
    [Benchmark]
    public void SoftmaxRows()
    {
        fixed (float* a = x, c = z) Softmax.Rows(a, c, Length / 64, 64);
    }

    private readonly struct SigmoidOperator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Sigmoid(x);
    }
}
