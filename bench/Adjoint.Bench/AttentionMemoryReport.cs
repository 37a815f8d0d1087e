using System.Diagnostics;
using System.Globalization;
using Adjoint.Memory;

namespace Adjoint.Bench;

/// <summary>
/// What attention holds at most, forward and backward, by the length of the sequences (4 heads, 64 features, causal,
/// one sample): each length in a process of its own, so that the system's figures are its own too. Beside it, what the
/// scores of all pairs would take, forward alone.
/// </summary>
internal static class AttentionMemoryReport
{
    private const int Heads = 4, Width = 64;

    /// <param name="arguments">Nothing for all; a length for one, in this process.</param>
    internal static int Run(string[] arguments)
    {
        if (arguments is [var only])
        {
            Console.WriteLine(Measure(int.Parse(only, CultureInfo.InvariantCulture)));
            return 0;
        }
        Console.WriteLine("| length | tensors at most MB | the process more than before, at most MB (VmHWM) "
            + "| scores would take MB | ms |");
        Console.WriteLine("|---|---|---|---|---|");
        for (var length = 512; length <= 8192; length *= 2)
        {
            using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
            {
                ArgumentList =
                {
                    typeof(AttentionMemoryReport).Assembly.Location, "attention-memory",
                    length.ToString(CultureInfo.InvariantCulture),
                },
                RedirectStandardOutput = true,
            })!;
            Console.Write(child.StandardOutput.ReadToEnd());
            child.WaitForExit();
        }
        return 0;
    }

    private static string Measure(int length)
    {
        // What is compiled is not what is measured.
        Step(64);
        var (rented, resident) = (BufferPool.RentedBytes, ProcFiles.Bytes("VmRSS") ?? 0);
        var start = Stopwatch.GetTimestamp();
        var most = Step(length) - rented;
        object[] row =
        [
            length, most / 1e6, ((ProcFiles.Bytes("VmHWM") ?? 0) - resident) / 1e6,
            4.0 * Heads * length * length / 1e6, Stopwatch.GetElapsedTime(start).TotalMilliseconds,
        ];
        return string.Format(CultureInfo.InvariantCulture, "| {0} | {1:0.0} | {2:0.0} | {3:0.0} | {4:0} |", row);
    }

    // The most that tensors held.
    private static long Step(int length)
    {
        Tensor Random(ulong seed) => Tensor.Randn([1, Heads, length, Width], new Generator(seed));
        var (q, k, v) = (Random(1).RequireGrad(), Random(2).RequireGrad(), Random(3).RequireGrad());
        var y = q.ScaledDotProductAttention(k, v, new() { IsCausal = true });
        var most = BufferPool.RentedBytes;
        y.Backward(Random(4));
        return Math.Max(most, BufferPool.RentedBytes);
    }
}
