using System.Reflection;

namespace Adjoint.Tests.Sizes;

/// <summary>
/// Every public call that takes a size, an axis, a count or an index, at values around every edge: it answers,
/// or refuses with an <see cref="AdjointException"/> before it has allocated much.
/// </summary>
public class SizeArgumentTests
{
    private const long MostBytes = 64 << 20;

    private static readonly int[] Values = [0, -1, 1, 2, 46341, 65536, 1 << 30, int.MaxValue - 1, int.MaxValue,
        int.MinValue, int.MinValue + 1];

    // By name of the type, or of type and method: one way of calling for each argument.
    private static readonly (string Member, Func<int, object?> Call)[] Calls =
        [.. TensorSizeArguments.Rows, .. ModuleSizeArguments.Rows, .. TrainingSizeArguments.Rows];

    // What carries numbers without working with them, what only implements a member above, and what reads files,
    // which has tests of its own.
    private static readonly string[] Plain =
    [
        "CaptureReport", "EpochResult", "FetchProgress", "GradCheckResult", "OpCost", "ProfileRow", "RemoteFile",
        "StepInfo", "Size2", "CpuBackend", "AlternatingFlip", "RandomFlip", "Transform.Apply", "RandomCrop.Apply",
        "RandomCrop.Check", "Cutout.Apply", "Cutout.Check", "IdxFile", "RegularFile", "TensorSpec.set_Shape",
        "ModuleSettings", "OpNode.Needs", "Shape.op_Equality", "Shape.op_Inequality", "Number.op_Implicit",
        "VisionModels.ConvNextTiny", "VisionModels.VitB16", "ConvertedTensor",
    ];

    public static TheoryData<int, string> Rows() => [.. Calls.Select((call, i) => (i, call.Member))];

    [Theory, MemberData(nameof(Rows))]
    public void Answers_or_refuses_before_it_allocates(int row, string member)
    {
        foreach (var n in Values)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Calls[row].Call(n);
            }
            catch (AdjointException error)
            {
                Assert.NotEmpty(error.Message);
                var used = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(used < MostBytes, $"{member} at {n}: {used:N0} bytes before the refusal: {error.Message}");
            }
            catch (Exception error)
            {
                Assert.Fail($"{member} at {n}: {error}");
            }
        }
    }

    [Fact]
    public void Every_public_call_with_a_size_has_a_row()
    {
        Type[] sizes = [typeof(int), typeof(int?), typeof(long), typeof(Size2), typeof(Size2?), typeof(Shape),
            typeof(int[]), typeof(ReadOnlySpan<int>), typeof(Index), typeof(Range)];
        const BindingFlags declared =
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var names =
            from type in typeof(Tensor).Assembly.GetExportedTypes()
            where !type.IsSubclassOf(typeof(Exception)) && !type.Name.StartsWith('<')
            where type.Namespace is "Adjoint" or "Adjoint.Nn" or "Adjoint.Optim"
            from method in type.GetMembers(declared).OfType<MethodBase>()
            where method.GetParameters().Any(parameter => sizes.Contains(parameter.ParameterType))
            where method.Name is not "Deconstruct" && !type.FullName!.Contains('<', StringComparison.Ordinal)
            select method.IsConstructor ? type.Name : $"{type.Name}.{method.Name}";
        var covered = Calls.Select(call => call.Member).ToHashSet();
        bool IsPlain(string name) => Plain.Any(plain => name == plain || name.StartsWith(plain + ".",
            StringComparison.Ordinal));
        Assert.Equal("", string.Join(", ", names.Distinct().Where(name => !covered.Contains(name) && !IsPlain(name))));
    }

    /// <summary>What would be answered, but with gigabytes, is asked for beyond what there can be.</summary>
    internal static int Extreme(int n) => n > 1 << 17 ? int.MaxValue : n;
}
