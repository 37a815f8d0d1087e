using System.Text.RegularExpressions;

namespace Adjoint.Tests;

/// <summary>
/// What computes on tensors goes through the backend's door, so that it can be captured, timed, and moved to another
/// device: no op, optimizer or random number reaches memory past it, and no op or optimizer goes by way of the host.
/// </summary>
public partial class DoorTests
{
    private static readonly string[] Reached = ["Tensors", "Backends", "Autograd", "Ops", "Nn", "Optim", "Training"];
    private static readonly string[] Computing = ["Ops", "Optim"];

    // Which file may do what, and why.
    private static readonly (string File, string[] What, string Why)[] Allowed =
    [
        ("Tensors/Tensor.cs", ["Storage.Bytes", "Data<", "Origin<", "MemoryMarshal.GetReference", "Unsafe."],
            "is how primitives reach memory"),
        ("Tensors/TensorReading.cs", ["Data<", "Origin<", "unsafe", "fixed (", "bytes.Bytes"],
            "copies to and from the host"),
        ("Tensors/TensorCreation.cs", ["Data<"], "copies from the host"),
        ("Tensors/TensorSpans.cs", ["Origin<"], "shows memory to the host"),
        ("Tensors/Generator.cs", ["Data<", "Unsafe."],
            "a stream is three numbers in memory, which draws on the host move on, too"),
        ("Backends/FusedCalls.cs", ["Origin<", "unsafe", "Unsafe.", "tensor.Bytes"],
            "is the door: several primitives in one pass"),
        ("Backends/Transfer.cs", ["x.Bytes", "y.Bytes"], "copies from one device's memory to another's"),
        ("Backends/PrimitiveCall.cs", ["unsafe"], "is the door: a primitive with its operands"),
        ("Capture/Recording.cs", ["storage.Bytes"], "keeps, and puts back, what a refused recording wrote over"),
        ("Capture/Recording.cs", ["own.Bytes"], "takes a copy of plain numbers, for the plan to own"),
        ("Ops/OpCatalogue.cs", [".ToArray<"], "examples for the checks and the documentation"),
        ("Optim/Optimizer.cs", [".Item("], "reads the number of steps from a saved state"),
        ("Optim/ClipGradients.cs", [".Item("], "the norm is a number that the caller gets"),
    ];

    [Fact]
    public void Nothing_reaches_memory_past_the_door() => Assert.Empty(Found(Reached, Memory()));

    [Fact]
    public void No_op_or_optimizer_goes_by_way_of_the_host() => Assert.Empty(Found(Computing, Host()));

    [Fact]
    public void What_is_allowed_is_still_done()
    {
        foreach (var (file, all, _) in Allowed)
            foreach (var what in all)
                Assert.Contains(what, File.ReadAllText(Path.Combine(Root, file)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("var a = x.Data<float>();", true)]
    [InlineData("fixed (float* from = &x.Origin<T>())", true)]
    [InlineData("x.Storage.Bytes.Clear();", true)]
    [InlineData("foreach (var b in tensor.Bytes)", true)]
    [InlineData("private static unsafe void Run()", true)]
    [InlineData("Kernels.Map.Run(op, from, to, n);", true)]
    [InlineData("Kernels.ScatterSum.Rows<float>(from, index, 3, to, 1, 2, 3);", true)]
    [InlineData("Backend.Run(new Map<Kernels.SumOperator>(), x, y);", false)]
    [InlineData("total += slab.Bytes + call.Bytes;", false)]
    [InlineData("var all = plan?.Bytes ?? 0; // x.Data<float>()", false)]
    public void Memory_is_told_from_what_only_looks_like_it(string line, bool isMemory) =>
        Assert.Equal(isMemory, Memory().IsMatch(Code(line)));

    private static string Root => Path.Combine(LayeringTests.Root(), "src", "Adjoint");

    private static IEnumerable<string> Found(string[] folders, Regex what) =>
        from folder in folders
        from path in Directory.GetFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        let file = Path.GetRelativePath(Root, path).Replace('\\', '/')
        from line in File.ReadLines(path).Select((text, i) => (Text: Code(text), Number: i + 1))
        from match in what.Matches(line.Text)
        where !Allowed.Any(allowed => allowed.File == file && allowed.What.Any(what =>
            match.Value.StartsWith(what, StringComparison.Ordinal)))
        select $"{file}({line.Number}): {match.Value}";

    private static string Code(string line) => CommentOrString().Replace(line, "");

    [GeneratedRegex(@"//.*|""(\\.|[^""\\])*""")]
    private static partial Regex CommentOrString();

    // A pointer needs `unsafe`, so kernels that take some cannot be called without it either. What counts bytes is no
    // memory: a plan and its parts, a call, a row of a table.
    [GeneratedRegex(@"\b(?:Data|Origin)<|\b(?!(?:plan|Layout|slab|call|cost|row)\b)\w+\??\.Bytes\b|\bunsafe\b"
        + @"|\bfixed \(|\bKernels\.\w+\.\w+(<[^>]*>)?\(|\bMemoryMarshal\.GetReference\b|\bUnsafe\.")]
    private static partial Regex Memory();

    [GeneratedRegex(@"\.ToArray<|\.Item(At)?(<\w+>)?\(|\.CopyFrom\b|\.CopyTo<")]
    private static partial Regex Host();
}
