using System.Runtime.CompilerServices;
using System.Text;
using Adjoint.IO;
using Adjoint.Optim;

namespace Adjoint.Tests.IO;

/// <summary>Tensors whose memory is a file: they are tensors like others, and the file stays as it is.</summary>
public sealed class MappedTensorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Writing_in_place_reaches_neither_the_file_nor_another_tensor()
    {
        var path = Save(Tensor.From(new[] { 1f, 2, 3, 4 }));
        var bytes = File.ReadAllBytes(path);
        using var file = TensorFile.Open(path);
        var (first, second) = (file.Map("x"), file.Map("x"));
        Assert.True(first.Storage.IsMapped);
        first.CopyFrom([9f, 8, 7, 6]);
        first[1..3].Fill(0);
        Assert.Equal([9f, 0, 0, 6], first.ToArray<float>());
        Assert.Equal([1f, 2, 3, 4], second.ToArray<float>());
        Assert.Equal([1f, 2, 3, 4], file.Load("x").ToArray<float>());
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_network_trains_on_mapped_weights_to_the_same_bits()
    {
        var path = In("net");
        var random = new Generator(1);
        var made = new Dictionary<string, Tensor>
        {
            ["0.weight"] = Tensor.Randn([64, 8], random),
            ["0.bias"] = Tensor.Randn([64], random),
            ["1.weight"] = Tensor.Randn([4, 64], random),
            ["1.bias"] = Tensor.Randn([4], random),
        };
        SafeTensors.Save(path, made);
        var bytes = File.ReadAllBytes(path);
        var (x, y) = (Tensor.Randn([32, 8], new Generator(2)), Tensor.Randn([32, 4], new Generator(3)));
        var trained = ((Func<TensorFile, string, Tensor>[])[(file, name) => file.Load(name), (file, name) =>
            file.Map(name)]).Select(read =>
        {
            using var file = TensorFile.Open(path);
            var weights = file.Entries.ToDictionary(entry => entry.Name, entry => read(file, entry.Name).RequireGrad());
            var optimizer = new Sgd([.. weights.Values], 0.05, momentum: 0.9);
            for (var step = 0; step < 5; step++)
            {
                var loss = (Forward(weights, x) - y).Square().Mean();
                optimizer.ZeroGrad();
                loss.Backward();
                optimizer.Step();
            }
            return weights;
        }).ToArray();
        Assert.All(trained[0], weight => Assert.True(weight.Value.HasBitsOf(trained[1][weight.Key]), weight.Key));
        Assert.False(trained[0].Values.First().HasBitsOf(made[trained[0].Keys.First()]));
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    private static Tensor Forward(Dictionary<string, Tensor> weights, Tensor x) =>
        x.Linear(weights["0.weight"], weights["0.bias"]).Relu().Linear(weights["1.weight"], weights["1.bias"]);

    [Fact]
    public void A_captured_function_reads_mapped_memory_and_keeps_it()
    {
        var function = Captured(Save(Tensor.Randn([300, 300], new Generator(1))), out var expected);
        for (var i = 0; i < 4; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.True(function.Run(Tensor.Ones(300)).HasBitsOf(expected), $"{i}");
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CapturedFunction<Tensor> Captured(string path, out Tensor expected)
    {
        using var file = TensorFile.Open(path);
        expected = file.Load("x").MatMul(Tensor.Ones(300).Reshape(300, 1));
        var weight = file.Map("x");
        return CapturedFunction.Create((Tensor x) => weight.MatMul(x.Reshape(300, 1)));
    }

    [Fact]
    public void Memory_lives_as_long_as_a_view_and_no_longer()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "skipped: /proc/self/maps is Linux's");
        var path = Save(Tensor.Arange(5000));
        var last = ViewOfMapped(path);
        Collect();
        Assert.Equal(1, CountMaps(path));
        Assert.Equal(4999, last.Item());
        last = null;
        Collect();
        Assert.Equal(0, CountMaps(path));
    }

    // Two collections find the pages, and their finalizer runs after each.
    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Tensor ViewOfMapped(string path)
    {
        using var file = TensorFile.Open(path);
        return file.Map("x").Detach()[4999..];
    }

    private static int CountMaps(string path) => File.ReadLines("/proc/self/maps").Count(line =>
        line.EndsWith(path, StringComparison.Ordinal));

    [Theory]
    [InlineData(0), InlineData(1), InlineData(2), InlineData(4)]
    public void What_is_not_aligned_is_copied_and_right(int pad)
    {
        var header = Encoding.UTF8.GetBytes("""{"x":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}""");
        header = [.. header, .. Enumerable.Repeat((byte)' ', (8 - header.Length % 8) % 8 + pad)];
        var path = In("x");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header,
            .. BitConverter.GetBytes(1.5), .. BitConverter.GetBytes(-2.5)]);
        using var file = TensorFile.Open(path);
        var mapped = file.Map("x");
        Assert.Equal(pad == 0, mapped.Storage.IsMapped);
        Assert.Equal([1.5, -2.5], mapped.ToArray<double>());
    }

    [Fact]
    public void Truth_values_of_any_byte_are_one_or_zero()
    {
        var header = """{"x":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}}"""u8;
        File.WriteAllBytes(In("x"), [.. BitConverter.GetBytes((long)header.Length), .. header, 0, 1, 2, 255]);
        using var file = TensorFile.Open(In("x"));
        var mapped = file.Map("x");
        Assert.True(mapped.Storage.IsMapped);
        Assert.Equal(new byte[] { 0, 1, 1, 1 }, mapped.Storage.Bytes.ToArray());
    }

    [Fact]
    public void A_file_may_be_replaced_by_another_of_its_name_while_it_is_mapped()
    {
        var path = Save(Tensor.From(new[] { 1f, 2 }));
        using var file = TensorFile.Open(path);
        var mapped = file.Map("x");
        SafeTensors.Save(path, new Dictionary<string, Tensor> { ["x"] = mapped * 2 });
        Assert.Equal([1f, 2], mapped.ToArray<float>());
        Assert.Equal([2f, 4], SafeTensors.Load(path)["x"].ToArray<float>());
    }

    [Fact]
    public void Every_op_reads_to_the_last_byte_of_a_page_and_not_beyond()
    {
        // The elements end where the file does, at the end of a page; what comes after belongs to nobody.
        var header = Encoding.UTF8.GetBytes("""{"x":{"dtype":"F32","shape":[3001],"data_offsets":[0,12004]}}""");
        var length = 4 * Environment.SystemPageSize - 12004 - 8;
        header = [.. header, .. Enumerable.Repeat((byte)' ', length - header.Length)];
        var path = In("x");
        var values = Tensor.Randn([3001], new Generator(5));
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header,
            .. values.Storage.Bytes[..12004]]);
        using var file = TensorFile.Open(path);
        var mapped = file.Map("x");
        Assert.True(mapped.Storage.IsMapped);
        foreach (var op in (Func<Tensor, Tensor>[])[x => x.Exp(), x => x.Sum(), x => x * x, x => x.Softmax(0),
            x => x.Reshape(1, -1).MatMul(x.Reshape(-1, 1)), x => x.Reshape(-1, 1).MatMul(Tensor.Ones(1, 7)),
            x => x.CumSum(0), x => x.To(DType.BFloat16), x => x[2990..].Exp()])
            Assert.True(op(values).HasBitsOf(op(mapped)));
    }

    private string Save(Tensor x)
    {
        SafeTensors.Save(In("x"), new Dictionary<string, Tensor> { ["x"] = x });
        return In("x");
    }

    private string In(string name) => Path.Combine(folder, name);
}
