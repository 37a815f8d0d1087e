using System.Text;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

/// <summary>Pickles that want code to run, or memory: each is refused in one line, which names what it wants.</summary>
public sealed class PyTorchCodeTests : IDisposable
{
    private const string OnlyDictionaries =
        "expected tensors, numbers, texts, lists and dictionaries; pickles that make "
        + "objects or call functions are not read, only state dictionaries; in Python: torch.save(model.state_dict(), "
        + "path)";

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private string Weights => Path.Combine(folder, "x.pt");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("posix.system", "cposix\nsystem\n(U\u0002idtR.")]
    [InlineData("nt.system", "cnt\nsystem\n(U\u0002idtR.")]
    [InlineData("builtins.eval", "cbuiltins\neval\n(U\u00011tR.")]
    [InlineData("__builtin__.exec", "c__builtin__\nexec\n.")]
    [InlineData("builtins.getattr", "cbuiltins\ngetattr\n.")]
    [InlineData("os.system", "\u008c\u0002os\u008c\u0006system\u0093.")]
    [InlineData("subprocess.Popen", "csubprocess\nPopen\n(U\u0002idt\u0081.")]
    [InlineData("torch.load", "ctorch\nload\n.")]
    [InlineData("torch.hub.load", "ctorch.hub\nload\n.")]
    [InlineData("torch._utils._import_dotted_name", "ctorch._utils\n_import_dotted_name\n.")]
    [InlineData("torchvision.models.resnet.ResNet", "ctorchvision.models.resnet\nResNet\n)\u0081}b.")]
    [InlineData("__main__.Net", "}U\u0001mc__main__\nNet\n)\u0081s.")]
    public void What_is_not_known_is_refused_by_its_name(string name, string program)
    {
        var bytes = Latin(program);
        Assert.Contains($"found {name}, {OnlyDictionaries}", Fails(PickleProgram.Archive(bytes)),
            StringComparison.Ordinal);
        // The same in the old format.
        var old = PyTorchGolden.Of("nothing-old").Bytes;
        var at = old.AsSpan().LastIndexOf((byte[])[0x80, 2, (byte)'}']);
        Assert.Contains($"found {name}, {OnlyDictionaries}", Fails([.. old[..at], .. bytes]), StringComparison.Ordinal);
        Assert.Contains($"found {name}, {OnlyDictionaries}", Fails(bytes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a call of torch.FloatStorage", "ctorch\nFloatStorage\n)R.")]
    [InlineData("a call of builtins.list", "cbuiltins\nlist\n)R.")]
    [InlineData("a call of what is no function", "U\u0001a)R.")]
    [InlineData("a call of what is no function", "U\u0001aU\u0001bR.")]
    [InlineData("other arguments of collections.OrderedDict", "ccollections\nOrderedDict\n(K\u0001tR.")]
    [InlineData("other arguments of collections.OrderedDict", "ccollections\nOrderedDict\n(]K\u0001atR.")]
    [InlineData("other arguments of collections.defaultdict", "ccollections\ndefaultdict\n(U\u0001atR.")]
    [InlineData("other arguments of torch._utils._rebuild_tensor_v2", "ctorch._utils\n_rebuild_tensor_v2\n)R.")]
    [InlineData("other arguments of torch._utils._rebuild_parameter", "ctorch._utils\n_rebuild_parameter\n(NtR.")]
    [InlineData("other arguments of torch._tensor._rebuild_from_type_v2",
        "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nctorch\nTensor\n)tR.")]
    [InlineData("other arguments of _codecs.encode", "c_codecs\nencode\n(U\u0001aU\u0005utf-8tR.")]
    [InlineData("other arguments of numpy.core.multiarray.scalar",
        "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\u0001OtRC\u00010tR.")]
    [InlineData("instruction INST", "(ios\nsystem\n.")]
    [InlineData("instruction OBJ", "(o.")]
    [InlineData("instruction PERSID", "P1\n.")]
    [InlineData("instruction EXT", "\u0082\u0001.")]
    [InlineData("instruction NEWOBJ_EX", "))}\u0092.")]
    [InlineData("instruction for sets", "\u008f.")]
    [InlineData("instruction 'I' (of protocol 0)", "I1\n.")]
    [InlineData("instruction 0xff", "ÿ.")]
    [InlineData("state for what is neither dictionary nor tensor", "]}b.")]
    [InlineData("state for what is neither dictionary nor tensor", "ccollections\nOrderedDict\n}b.")]
    [InlineData("another description of a storage", "U\u0001aQ.")]
    [InlineData("a whole module, with its source", "(U\u0006moduleNNNtQ.")]
    [InlineData("values appended to what is no list", "}Na.")]
    [InlineData("keys and values for what is no dictionary", "}(Nu.")]
    [InlineData("value 7, which was not kept before", "h\u0007.")]
    [InlineData("an instruction without the values that it needs", "R.")]
    [InlineData("an instruction without the values that it needs", "N(\u0086.")]
    [InlineData("an instruction without the values that it needs", "t.")]
    [InlineData("the end of a pickle with 0 values", ".")]
    [InlineData("the end of a pickle with 2 values", "NN.")]
    [InlineData("a name that is no text", "NN\u0093.")]
    [InlineData("protocol 6", "\u0080\u0006N.")]
    [InlineData("_rebuild_sparse_tensor, expected dense tensors; in Python: save x.to_dense()",
        "ctorch._utils\n_rebuild_sparse_tensor\n.")]
    [InlineData("numpy.core.multiarray._reconstruct, expected tensors; in Python: save torch.from_numpy(x)",
        "cnumpy.core.multiarray\n_reconstruct\n.")]
    [InlineData("a key of a dictionary that is no text", "})Ns.")]
    [InlineData("two values called a.b", "}U\u0003a.bNsU\u0001a}U\u0001bNss.")]
    [InlineData("two values called 1", "}U\u00011NsK\u0001Ns.")]
    public void What_is_not_values_is_refused(string found, string program)
    {
        var message = Fails(PickleProgram.Archive(Latin(program)));
        Assert.Contains(found, message, StringComparison.Ordinal);
        Assert.Contains("expected ", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1152921504606846976 bytes to come", "\u008d\0\0\0\0\0\0\0\u0010")]
    [InlineData("1152921504606846976 bytes to come", "\u008e\0\0\0\0\0\0\0\u0010")]
    [InlineData("1152921504606846976 bytes to come", "\u0096\0\0\0\0\0\0\0\u0010")]
    [InlineData("a frame of 1152921504606846976 bytes", "\u0095\0\0\0\0\0\0\0\u0010")]
    [InlineData("4294967295 bytes to come", "Xÿÿÿÿ")]
    [InlineData("4294967295 bytes to come", "Tÿÿÿÿ")]
    [InlineData("4294967295 bytes to come", "Bÿÿÿÿ")]
    [InlineData("a number of 2147483647 bytes", "\u008bÿÿÿ\u007f")]
    [InlineData("nested deeper than 100, or within themselves", "]q\0h\0a.")]
    [InlineData("nested deeper than 100, or within themselves", "}q\0U\u0001ah\0s.")]
    public void What_is_larger_than_the_file_is_refused_before_it_is_made(string found, string program)
    {
        var file = PickleProgram.Archive(Latin(program));
        File.WriteAllBytes(Weights, file);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(found, Fails(file), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData(")\u0086", "the same values over and over")]
    [InlineData("}\u0086", "names or texts far longer than the file")]
    public void Values_that_double_are_refused(string pair, string found)
    {
        // (x, x) of (x, x) of …, 60 deep, of empty tuples; or of dictionaries, which are no texts.
        var program = new StringBuilder(pair[..1]).Append(pair[..1]).Append(pair[1..]);
        for (var i = 0; i < 60; i++) program.Append("q\0h\0\u0086");
        Assert.Contains(found, Fails(PickleProgram.Archive(Latin($"{program}."))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_grow_are_refused()
    {
        // A long key, again and again: 50 names of up to 500,000 letters in a file of 10,000 bytes.
        var program = new StringBuilder("}(").Append("X\u0010\u0027\0\0").Append('k', 10_000).Append("q\0N");
        for (var i = 0; i < 50; i++) program.Append("h\0}(");
        program.Append('u', 50).Append("u.");
        Assert.Contains("names or texts far longer than the file", Fails(PickleProgram.Archive(Latin($"{program}"))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Copies_that_grow_are_refused()
    {
        var program = new StringBuilder("c_codecs\nencode\nq\0X\u0010\u0027\0\0").Append('k', 10_000)
            .Append("U\u0006latin1\u0086q\u0001R0"[..^1]);
        for (var i = 0; i < 1000; i++) program.Append("h\0h\u0001R");
        Assert.Contains("the same values over and over", Fails(PickleProgram.Archive(Latin($"{program}."))),
            StringComparison.Ordinal);
    }

    // A character is a byte.
    private static byte[] Latin(string program) =>
        program[0] == '\u0080' ? Encoding.Latin1.GetBytes(program)
            : [.. PickleProgram.Start, .. Encoding.Latin1.GetBytes(program)];

    private string Fails(byte[] bytes)
    {
        File.WriteAllBytes(Weights, bytes);
        var error = Record.Exception(() => TensorFile.Open(Weights).Dispose());
        Assert.True(error is DataFormatException, $"{error?.ToString() ?? "no error"}");
        Assert.StartsWith(Weights, error!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }
}
