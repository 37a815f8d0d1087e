using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

public class TierTests(IsaTiers tiers) : IClassFixture<IsaTiers>
{
    [Theory, MemberData(nameof(IsaTiers.Settings), MemberType = typeof(IsaTiers))]
    public Task Kernels_and_ops_are_right_without(string setting) => tiers.CheckAsync(setting);
}

/// <summary>In a child process: did the tier really drop?</summary>
public class TierDroppedTests
{
    /// <summary>The width that a child was started for; null in the parent.</summary>
    internal static string? Expected => Environment.GetEnvironmentVariable("ADJOINT_EXPECTED_WIDTH");

    [Fact]
    public void Width_is_as_expected()
    {
        if (Expected is not { } expected) return;
        Assert.Equal(expected, $"{IsaTiers.Width}");
    }

    [Fact]
    public void Kernels_use_the_widest_vectors_that_there_are() => Assert.Equal(IsaTiers.Width, Simd.Width);
}
