using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text.RegularExpressions;
using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>
/// Runs test classes again in child processes with instruction sets switched off, all of them side by side.
/// </summary>
public sealed class IsaTiers : IDisposable
{
    private static readonly (string Setting, int Width)[] All =
        [("EnableAVX512", 256), ("EnableAVX2", 128), ("EnableHWIntrinsic", 0)];
    private static readonly Type[] Classes =
    [
        typeof(DriverTests), typeof(GemmTests), typeof(GemmBatchTests), typeof(ConvolutionTests),
        typeof(ConvAlgorithmTests), typeof(PoolingKernelTests),
        typeof(Ops.ValueTests), typeof(Ops.DerivativeTests), typeof(Ops.PowerTests),
        typeof(Ops.SpecialPointTests),
        typeof(Ops.ShiftInvarianceTests), typeof(TierDroppedTests),
        typeof(Ops.CastTests), typeof(Ops.CompareTests), typeof(Ops.WhereTests), typeof(Ops.GatherTests),
        typeof(Ops.ArgReduceTests), typeof(Ops.DualTests), typeof(Ops.AttentionTests),
    ];

    private readonly Dictionary<string, (Process Process, Task<string> Output, Task<string> Error)> children =
        All.Where(tier => IsAsked && Width > tier.Width)
            .ToDictionary(tier => tier.Setting, tier => Start(tier.Setting, tier.Width));

    // They take a minute, three processes beside each other: a step of .ci/run of its own.
    private static bool IsAsked => Environment.GetEnvironmentVariable("ADJOINT_TIERS") is not null;

    public static TheoryData<string> Settings() => [.. All.Select(tier => tier.Setting)];

    /// <summary>The widest vector that this process accelerates, in bits.</summary>
    public static int Width => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256
        : Vector128.IsHardwareAccelerated ? 128 : 0;

    /// <summary>How many random cases there are: in a child, which others run beside, a quarter of them.</summary>
    internal static int Fewer(int cases) => TierDroppedTests.Expected is null ? cases : Math.Max(1, cases / 4);

    public void Dispose()
    {
        foreach (var (process, _, _) in children.Values)
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }
    }

    internal async Task CheckAsync(string setting)
    {
        if (!IsAsked) Assert.Skip("skipped: a step of .ci/run; set ADJOINT_TIERS=1 to run it");
        if (!children.TryGetValue(setting, out var child))
            Assert.Skip($"skipped: this machine accelerates only {Width} bits");
        var (output, error) = (await child.Output, await child.Error);
        await child.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(child.Process.ExitCode == 0, $"{setting}=0: {output} {error}");
        var total = Regex.Match(output, @"Total: (\d+), Errors: 0, Failed: 0");
        Assert.True(total.Success && int.Parse(total.Groups[1].Value, CultureInfo.InvariantCulture) > 20, output);
    }

    private static (Process, Task<string>, Task<string>) Start(string setting, int width)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(IsaTiers).Assembly.Location);
        foreach (var each in Classes)
        {
            start.ArgumentList.Add("-class");
            start.ArgumentList.Add(each.FullName!);
        }
        start.Environment["DOTNET_" + setting] = "0";
        start.Environment["ADJOINT_EXPECTED_WIDTH"] = $"{width}";
        var child = Process.Start(start)!;
        return (child, child.StandardOutput.ReadToEndAsync(), child.StandardError.ReadToEndAsync());
    }
}
