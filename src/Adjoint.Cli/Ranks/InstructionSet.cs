using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Adjoint.Cli;

/// <summary>
/// What the kernels compute with. Sums of wider vectors have another order, so ranks must agree, and can be made to by
/// the runtime's switches. The names are the levels of the x86-64 ABI.
/// </summary>
internal static class InstructionSet
{
    /// <summary>By which the launcher tells ranks the level that it was asked for.</summary>
    internal const string Variable = "ADJOINT_INSTRUCTIONS";

    /// <summary>The levels that <c>--instructions</c> takes.</summary>
    internal static readonly IReadOnlyList<string> Levels = ["v2", "v3", "v4"];

    /// <summary>What this process uses: <c>v4</c>, <c>v3</c>, <c>v2</c>, or the name of another architecture.</summary>
    internal static string Current =>
        RuntimeInformation.ProcessArchitecture != Architecture.X64
            ? RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()
            : Vector512.IsHardwareAccelerated ? "v4"
            : Vector256.IsHardwareAccelerated && Fma.IsSupported ? "v3"
            : Vector128.IsHardwareAccelerated ? "v2"
            : "v1";

    /// <summary>The variable that brings a process down to a level; null for the highest.</summary>
    internal static (string Name, string Value)? Switch(string level) => level switch
    {
        "v4" => null,
        "v3" => ("DOTNET_EnableAVX512", "0"),
        // Without it there is no AVX2, and with that no FMA.
        _ => ("DOTNET_EnableAVX", "0"),
    };

    /// <summary>Refuses a process that has less than was asked for, which no switch can mend.</summary>
    /// <param name="asked">The level.</param>
    /// <param name="current">What the process uses.</param>
    /// <exception cref="UsageException">It is another.</exception>
    internal static void Require(string asked, string current)
    {
        if (current == asked) return;
        throw new UsageException($"--instructions: {asked} is not to be had on this machine, which uses {current}; "
            + (Levels.Contains(current) ? $"use {current}, or machines that have more" : "leave it out"));
    }
}
