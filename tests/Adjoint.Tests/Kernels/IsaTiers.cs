using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text.RegularExpressions;

namespace Adjoint.Tests.Kernels;

/// <summary>Runs a test class again in a child process with instruction sets switched off.</summary>
public static class IsaTiers
{
    public static TheoryData<string, int> Tiers() => new() { { "EnableAVX512", 256 }, { "EnableAVX2", 128 }, { "EnableHWIntrinsic", 0 } };

    /// <summary>The widest vector that this process accelerates, in bits.</summary>
    public static int Width => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    public static void RunChild(string setting, int width, params string[] classes)
    {
        if (Width <= width) Assert.Skip($"this machine accelerates only {Width} bits");
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(IsaTiers).Assembly.Location);
        foreach (var name in classes.Append(typeof(TierDroppedTests).FullName!))
        {
            start.ArgumentList.Add("-class");
            start.ArgumentList.Add(name);
        }
        start.Environment["DOTNET_" + setting] = "0";
        start.Environment["ADJOINT_EXPECTED_WIDTH"] = $"{width}";
        using var child = Process.Start(start)!;
        var error = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, $"{setting}=0: {output} {error.Result}");
        var total = Regex.Match(output, @"Total: (\d+), Errors: 0, Failed: 0");
        Assert.True(total.Success && int.Parse(total.Groups[1].Value, CultureInfo.InvariantCulture) > 20, output);
    }
}

/// <summary>In a child process: did the tier really drop?</summary>
public class TierDroppedTests
{
    [Fact]
    public void Width_is_as_expected()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_EXPECTED_WIDTH") is not { } expected) return;
        Assert.Equal(expected, $"{IsaTiers.Width}");
    }
}

public class TierTests
{
    [Theory, MemberData(nameof(IsaTiers.Tiers), MemberType = typeof(IsaTiers))]
    public void Kernels_and_ops_are_right_without(string setting, int width) =>
        IsaTiers.RunChild(setting, width, typeof(DriverTests).FullName!, typeof(GemmTests).FullName!, typeof(ConvolutionTests).FullName!, typeof(Ops.OpCasesTests).FullName!);
}
