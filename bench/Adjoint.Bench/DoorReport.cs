using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Bench;

/// <summary>
/// What a call through the door of the backend costs beside a call of the body, and what checks cost. It is compiled
/// ahead of time as a part of <c>tests/Adjoint.AotSmoke</c>, whose argument <c>door</c> runs it.
/// </summary>
internal static class DoorReport
{
    private const int Calls = 10_000;
    private const int Samples = 1000;

    private static readonly Tensor A = Tensor.Ones(4, 4), B = Tensor.Ones(4, 4), C = Tensor.Zeros(4, 4);
    private static readonly Tensor Row = Tensor.Ones(4);

    internal static int Run()
    {
        Console.WriteLine($"ns per call, of {Samples} samples of {Calls} calls each; "
            + (RuntimeFeature.IsDynamicCodeSupported ? "compiled while it runs" : "compiled ahead of time"));
        Console.WriteLine("| call | minimum | median |");
        Console.WriteLine("|---|---|---|");
        Measure("body, no operands", Body0);
        Measure("door, no operands", Door0);
        Measure("body, 2 operands", Body2);
        Measure("door, 2 operands", Door2);
        Measure("body, 4 operands", Body4);
        Measure("door, 4 operands", Door4);
        Measure("checks of Map, (4, 4)", CheckMap);
        Measure("checks of Zip, (4, 4) and (4, 4)", CheckZip);
        Measure("checks of Zip, (4, 4) and (4), broadcast", CheckBroadcast);
        Measure("checks of MatMul, (4, 4) and (4, 4)", CheckMatMul);
        return 0;
    }

    private static void Measure(string name, Action<int> work)
    {
        var samples = new double[Samples];
        for (var i = 0; i < Samples; i++)
        {
            var start = Stopwatch.GetTimestamp();
            work(Calls);
            samples[i] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Calls;
        }
        Array.Sort(samples);
        var (minimum, median) = (samples[0], samples[Samples / 2]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {minimum:0.00} | {median:0.00} |"));
    }

    private static void Body0(int calls)
    {
        for (var i = 0; i < calls; i++) Nothing.RunOnCpu(new(i), []);
    }

    private static void Door0(int calls)
    {
        for (var i = 0; i < calls; i++) Backend.Run(new Nothing(i));
    }

    private static void Body2(int calls)
    {
        var (a, c) = (A, C);
        for (var i = 0; i < calls; i++) Nothing.RunOnCpu(new(i), [a, c]);
    }

    private static void Door2(int calls)
    {
        var (a, c) = (A, C);
        for (var i = 0; i < calls; i++) Backend.Run(new Nothing(i), a, c);
    }

    private static void Body4(int calls)
    {
        var (a, b, c) = (A, B, C);
        for (var i = 0; i < calls; i++) Nothing.RunOnCpu(new(i), [a, b, null, c]);
    }

    private static void Door4(int calls)
    {
        var (a, b, c) = (A, B, C);
        for (var i = 0; i < calls; i++) Backend.Run(new Nothing(i), a, b, null, c);
    }

    private static void CheckMap(int calls)
    {
        var (a, c) = (A, C);
        for (var i = 0; i < calls; i++) Map<NoActivation>.Check(default, [a, c]);
    }

    private static void CheckZip(int calls)
    {
        var (a, b, c) = (A, B, C);
        for (var i = 0; i < calls; i++) Zip<Sum>.Check(default, [a, b, c]);
    }

    private static void CheckBroadcast(int calls)
    {
        var (a, b, c) = (A, Row, C);
        for (var i = 0; i < calls; i++) Zip<Sum>.Check(default, [a, b, c]);
    }

    private static void CheckMatMul(int calls)
    {
        var (a, b, c) = (A, B, C);
        for (var i = 0; i < calls; i++) MatMul<NoActivation>.Check(default, [a, b, null, c]);
    }

    // A body that does nothing, but is called.
    private readonly record struct Nothing(int Number) : IPrimitive<Nothing>
    {
        public static string Name => "Nothing";

        public static void Check(in Nothing primitive, ReadOnlySpan<Tensor?> operands) { }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void RunOnCpu(in Nothing primitive, ReadOnlySpan<Tensor?> operands) { }
    }

    private readonly struct Sum : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x + y;
    }
}
