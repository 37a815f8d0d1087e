using System.Reflection;
using Adjoint.Kernels;

namespace Adjoint.Tests;

/// <summary>
/// An application compiles in tiers unless it says otherwise, and its first loops over elements would run a hundred
/// times slower: those of the library are compiled once, for good (docs/adr/0021).
/// </summary>
public class TieringTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // What is never inlined is called by a loop, and is one when a micro-kernel has been inlined into it.
    [Fact]
    public void Loops_of_kernels_are_compiled_once()
    {
        var methods = typeof(Workers).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All)))
            .Where(method => Has(method, MethodImplAttributes.NoInlining) || Instructions.HasLoop(method)).ToArray();
        Assert.InRange(methods.Length, 200, 1000);
        var others = methods.Where(method =>
            !Has(method, MethodImplAttributes.AggressiveOptimization)
            && !Has(method, MethodImplAttributes.AggressiveInlining));
        Assert.True(!others.Any(),
            "[MethodImpl(MethodImplOptions.AggressiveOptimization)] is missing from the loops of\n"
            + string.Join("\n", others.Select(method => $"{method.DeclaringType}.{method.Name}")));
    }

    private static bool Has(MethodBase method, MethodImplAttributes flag) =>
        (method.MethodImplementationFlags & flag) != 0;
}
