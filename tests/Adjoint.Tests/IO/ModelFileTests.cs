using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Tests.Nn;

namespace Adjoint.Tests.IO;

/// <summary>A model goes through a file and is the same: types, settings, sharing, element types, bits.</summary>
public sealed class ModelFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-model-").FullName;

    public static TheoryData<int, string> Rows() => [.. ModuleCases.All.Select((row, i) => (i, row.Name))];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_module_of_the_library_is_registered()
    {
        var missing =
            from type in typeof(Module).Assembly.GetExportedTypes()
            where type.IsSubclassOf(typeof(Module)) && !type.IsAbstract && !type.IsGenericType
            where ModuleRegistry.Of(type) is null
            select type.Name;
        Assert.Equal("", string.Join(", ", missing));
    }

    [Theory, MemberData(nameof(Rows))]
    public void A_module_comes_back_with_the_same_bits(int number, string name)
    {
        var row = ModuleCases.All[number];
        foreach (var type in (DType[])[DType.Float32, DType.Float64, DType.BFloat16, DType.Float16])
        {
            var module = row.Create();
            Randomize(module);
            module.To(type);
            module.Save(PathOf("one"));
            var position = Generator.Default.Position;
            var read = Assert.IsType<Layer>(ModelFile.Read(PathOf("one")).Model, exactMatch: false);
            Assert.Equal(position, Generator.Default.Position);
            Assert.Equal(module.GetType(), read.GetType());
            Assert.Equal(module.ToString(), read.ToString());
            Assert.False(read.IsTraining);
            Assert.Equal(
                module.NamedBuffers().Select(one => (one.Name, one.Value.DType)),
                read.NamedBuffers().Select(one => (one.Name, one.Value.DType)));
            Same(module, read);
            var x = row.IndexBelow > 0
                ? Indices(row)
                : Tensor.Rand(Sizes(row), new Generator(3)).Affine(2, -1).To(type);
            using var _ = new NoGrad();
            var (y, again) = (module.Eval().Forward(x), read.Forward(x));
            Assert.Equal(y.DType, again.DType);
            Assert.True(y.HasBitsOf(again), $"{name} {type}");
            // What is read is saved the same again.
            read.Save(PathOf("two"));
            Assert.Equal(File.ReadAllBytes(PathOf("one")), File.ReadAllBytes(PathOf("two")));
        }
    }

    [Fact]
    public void A_network_for_CIFAR_keeps_the_name_that_it_was_saved_with()
    {
        var model = new CifarResNet(8, 1, 2, 1);
        SafeTensors.Save(PathOf("one"), model.StateDict(), new Dictionary<string, string>
        {
            [ModelFile.Key] = """
                {"format":1,"architecture":{"type":"ResNet","settings":{"layers":8,"channels":1,"classes":2,"width":1}}}
                """,
        });
        var read = Assert.IsType<CifarResNet>(ModelFile.Read(PathOf("one")).Model);
        Same(model, read);
        Assert.Contains("ResNet", ModuleRegistry.TypeNames);
    }

    [Fact]
    public void What_is_shared_stays_shared_and_is_written_once()
    {
        var shared = new Linear(4, 4);
        var mlp = new Mlp(4, [4], 4);
        var model = new Sequential(shared, new Relu(), shared, mlp, mlp[1], new Sequential(shared));
        model.Save(PathOf("one"));
        Assert.Equal(
            ["0.bias", "0.weight", "3.1.bias", "3.1.weight", "3.3.bias", "3.3.weight"],
            SafeTensors.Inspect(PathOf("one")).Select(entry => entry.Name).Order(StringComparer.Ordinal));
        var read = Assert.IsType<Sequential>(ModelFile.Read(PathOf("one")).Model);
        Assert.Same(read[0], read[2]);
        Assert.Same(((Mlp)read[3])[1], read[4]);
        Assert.Same(read[0], ((Sequential)read[5])[0]);
        Same(model, read);
    }

    [Fact]
    public void Lists_and_dictionaries_come_back_in_order()
    {
        var list = new ModuleList<Module>(new Linear(2, 3), new Sequential(new Relu()));
        var dictionary = new ModuleDict<Layer>(("b", new Linear(2, 1)), ("a", new Tanh()));
        list.Add(dictionary);
        list.Save(PathOf("one"));
        var read = Assert.IsType<ModuleList<Module>>(ModelFile.Read(PathOf("one")).Model);
        Same(list, read);
        Assert.Equal(["b", "a"], Assert.IsType<ModuleDict<Layer>>(read[2]).Keys);
        Assert.IsType<Tanh>(((ModuleDict<Layer>)read[2])["a"]);
    }

    [Fact]
    public void The_description_is_readable_and_carries_what_the_model_is_for()
    {
        var info = new ModelInfo
        {
            Task = "classification",
            ClassNames = ["no", "yes, \"là\""],
            TargetNames = ["spam"],
            Epoch = 3,
            Metrics = new Dictionary<string, double> { ["accuracy"] = 0.1 + 0.2, ["f1"] = double.NaN },
            Score = "accuracy",
            Statistics = ([0.1, 2], [0.3, 4]),
            Preprocessing = new Doubling(3),
            Fields =
            [
                new(Field.Inputs, (int[])[2, 5], DType.Float32) { IsRagged = true },
                new(Field.Targets, (int[])[], DType.Int64),
            ],
        };
        Preprocessing.Register("doubling", json => new Doubling(json.GetProperty("times").GetInt32()));
        new Sequential(new Linear(2, 3, bias: false), new Relu()).Save(PathOf("one"), info);
        SafeTensors.Inspect(PathOf("one"), out var metadata);
        using var json = JsonDocument.Parse(metadata[ModelFile.Key]);
        Assert.Equal(
            """{"type":"Sequential","modules":{"0":{"type":"Linear","settings":{"inputs":2,"outputs":3,"""
            + """
            "bias":false}},"1":{"type":"Relu"}}}
            """,
            json.RootElement.GetProperty("architecture").GetRawText());
        var read = ModelFile.Read(PathOf("one")).Info;
        Assert.Equal(LibraryVersion.Text, read.Version);
        Assert.Equal((info.Task, info.Epoch), (read.Task, read.Epoch));
        Assert.Equal(info.ClassNames, read.ClassNames);
        Assert.Equal(info.TargetNames, read.TargetNames);
        Assert.Equal(info.Metrics, read.Metrics);
        Assert.Equal(info.Score, read.Score);
        Assert.Equal(info.Fields, read.Fields);
        Assert.Equal(info.Statistics.Value.Mean, read.Statistics!.Value.Mean);
        Assert.Equal(info.Statistics.Value.Deviation, read.Statistics.Value.Deviation);
        Assert.Equal(3, Assert.IsType<Doubling>(read.Preprocessing).Times);
        Write("""{"format":1,"architecture":{"type":"Relu"},"preprocessing":{"kind":"nowhere"}}""");
        Message("the preprocessing 'nowhere' is not known", () => ModelFile.Read(PathOf("one")));
        Write("""{"format":1,"architecture":{"type":"Relu"},"fields":[{"name":"x","shape":[1],"dtype":"int7"}]}""");
        Message("'int7' is no element type", () => ModelFile.Read(PathOf("one")));
        Write("""{"format":1,"architecture":{"type":"Relu"},"fields":[{"name":"x","shape":[-1],"dtype":"bool"}]}""");
        Message("one.safetensors", () => ModelFile.Read(PathOf("one")));
    }

    [Fact]
    public void A_module_of_ones_own_is_saved_when_it_is_registered()
    {
        var cell = new Cell(3, 5);
        var model = new ModuleList<Module>(cell);
        Message("module 0: a Cell has no description to save: implement ISavableModule<Cell> and call "
            + "ModuleRegistry.Register<Cell>()", () => model.Save(PathOf("one")));
        Assert.False(File.Exists(PathOf("one")));
        var own = new Savable(3, 5);
        Message("the model itself: a Savable has no description", () => own.Save(PathOf("one")));
        ModuleRegistry.Register<Savable>();
        ModuleRegistry.Register<Savable>();
        own.Save(PathOf("one"));
        var read = Assert.IsType<Savable>(ModelFile.Read(PathOf("one")).Model);
        Same(own, read);
        Message("the name Linear is taken by Adjoint.Nn.Linear", ModuleRegistry.Register<Impostor>);
        // And the one that was refused has not slipped in.
        Message("a Impostor has no description", () => new Impostor().Save(PathOf("two")));
    }

    [Fact]
    public void A_description_that_does_not_make_the_module_again_is_refused_when_it_is_saved()
    {
        ModuleRegistry.Register<Forgetful>();
        Message("the model cannot be made again from what its modules describe: 'inner.weight (7, 7)' differs",
            () => new Forgetful(7).Save(PathOf("one")));
        ModuleRegistry.Register<Tied>();
        Message("the model cannot be made again from what its modules describe: 'b.weight (2, 2)' differs",
            () => new Tied(isTied: true).Save(PathOf("one")));
        ModuleRegistry.Register<Unread>();
        Message("Unread has no setting 'more' here", () => new Unread().Save(PathOf("one")));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Theory]
    [InlineData("""{"type":"Transformer9"}""", "type 'Transformer9' is not known; if it is a module of your own, call")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2,"outputs":3}}""", "Linear: setting 'bias' is missing")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2,"outputs":3,"bias":1}}""",
        "Linear: setting 'bias' must be true or false: found 1")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2.5,"outputs":3,"bias":true}}""",
        "Linear: setting 'inputs' must be an integer from 0 on: found 2.5")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2,"outputs":0,"bias":true}}""", "outputs must be positive")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2,"outputs":3,"bias":true,"rank":4}}""",
        "Linear has no setting 'rank' here; a later version may have written it")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2,"outputs":3,"bias":true,"bias":true}}""", "Duplicate")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2,"outputs":4,"bias":true}}""",
        "weight must be (4, 2) float32: found (3, 2)")]
    [InlineData("""{"type":"Linear","settings":{"inputs":2,"outputs":3,"bias":false}}""", "unknown bias")]
    [InlineData("""{"type":"Relu"}""", "missing none, unknown")]
    [InlineData("""{"type":"Relu","kind":3}""", "the model itself: 'kind' is not known here")]
    [InlineData("""{"type":"Relu","modules":{"0":{"type":"Relu"}}}""", "Relu has no setting '0' here")]
    [InlineData("""{"settings":{}}""", "the model itself: its type is missing")]
    [InlineData("""{"type":7}""", "does not parse")]
    [InlineData("""[]""", "does not parse")]
    [InlineData("""{"type":"Sequential","modules":{"0":{"shared":"1"},"1":{"type":"Relu"}}}""",
        "module 0: there is no module '1' before it to share")]
    [InlineData("""{"type":"Mlp","settings":{"inputs":1,"hidden":[2],"classes":1,"activation":"x"}}""",
        "Mlp: no activation is called 'x'")]
    [InlineData("""{"type":"Scale","settings":{"factor":1e999}}""", "a setting must be a finite number: found 1e999")]
    [InlineData("""{"type":"ModuleList<Layer>","modules":{"0":{"type":"ModuleList<Layer>"}}}""",
        "ModuleList<Layer>: module '0' must be a Layer: found a ModuleList")]
    // What a file of a few hundred bytes must not get.
    [InlineData("""{"type":"Linear","settings":{"inputs":20000,"outputs":20000,"bias":true}}""", "more memory than")]
    [InlineData("""{"type":"Embedding","settings":{"count":2000000000,"features":2000000000}}""", "Embedding")]
    [InlineData("""{"type":"Standardize","settings":{"columns":200000000}}""", "more memory than")]
    [InlineData("""{"type":"Rescale","settings":{"columns":200000000}}""", "more memory than")]
    [InlineData("""{"type":"LayerNorm","settings":{"shape":[50000,5000],"epsilon":0.1}}""", "more memory than")]
    [InlineData("""{"type":"WhiteningConv2d","settings":{"channels":30,"kernel":16}}""", "more memory than")]
    [InlineData("""{"type":"ResNet","settings":{"layers":60000002,"channels":1,"classes":1,"width":1}}""",
        "more memory")]
    [InlineData("""{"type":"ResNet","settings":{"layers":20,"channels":1,"classes":1,"width":4000000}}""",
        "setting 'width' must be an integer from 0 to 1048576")]
    [InlineData("""{"type":"SpeedNet","settings":{"channels":1000,"classes":10}}""", "more memory than")]
    public void A_description_that_is_wrong_or_made_to_deceive_is_refused(string architecture, string message)
    {
        Write($$"""{"format":1,"architecture":{{architecture}}}""");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Message(message, () => ModelFile.Read(PathOf("one")));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
    }

    [Fact]
    public void Nesting_and_sharing_without_end_are_refused()
    {
        var deep = """{"type":"Relu"}""";
        for (var i = 0; i < 70; i++) deep = Sequential(deep);
        Write($$"""{"format":1,"architecture":{{deep}}}""");
        Message("modules can be nested 64 deep", () => ModelFile.Read(PathOf("one")));
        // Two of what stands before, thirty times: 2³⁰ paths.
        Write($$"""{"format":1,"architecture":{{Doubled("0", 30)}}}""");
        Message("a model can have 100000 modules", () => ModelFile.Read(PathOf("one")));
        Module nested = new Sequential();
        for (var i = 0; i < 64; i++) nested = new ModuleList<Module>(nested);
        Message("modules can be nested 64 deep in a model file", () => nested.Save(PathOf("two")));

        static string Sequential(string modules) =>
            $$$"""{"type":"Sequential","modules":{"0":{{{modules}}}}}""";

        static string Doubled(string path, int depth) => depth == 0 ? """{"type":"Relu"}""" : Sequential(
            $$"""{{Doubled($"{path}.0", depth - 1)}},"1":{"shared":"{{path}}"}""");
    }

    [Fact]
    public void Files_of_another_kind_and_other_versions_say_what_to_do()
    {
        SafeTensors.Save(PathOf("one"), new Linear(2, 3).StateDict());
        Message("one.safetensors: holds tensors without the description of a model ('adjoint.model'): an older version "
            + "or another program wrote it; create the model and load them: model.LoadStateDict(",
            () => ModelFile.Read(PathOf("one")));
        new Linear(2, 3).LoadStateDict(SafeTensors.Load(PathOf("one")));
        Write("""{"format":2,"architecture":{"type":"Elsewhere"}}""");
        Message("one.safetensors: it is a model file of format 2, and this version of the library reads 1; update it",
            () => ModelFile.Read(PathOf("one")));
        Write("""{"format":1}""");
        Message("does not parse", () => ModelFile.Read(PathOf("one")));
        Write("""{"format":1,"architecture""");
        Message("does not parse", () => ModelFile.Read(PathOf("one")));
        new Linear(2, 3).Save(PathOf("one"));
        var whole = File.ReadAllBytes(PathOf("one"));
        foreach (var length in (int[])[0, 7, 100, whole.Length - 1])
        {
            File.WriteAllBytes(PathOf("two"), whole[..length]);
            Message("two.safetensors, offset", () => ModelFile.Read(PathOf("two")));
        }
        File.WriteAllBytes(PathOf("two"), Encoding.UTF8.GetBytes("PK\u0003\u0004 an archive of something else"));
        Message("two.safetensors, offset 0: found a header of", () => ModelFile.Read(PathOf("two")));
        Assert.Throws<FileNotFoundException>(() => ModelFile.Read(PathOf("none")));
    }

    private static void Message(string part, Action action)
    {
        var error = Assert.ThrowsAny<AdjointException>(action);
        Assert.True(error.Message.Contains(part, StringComparison.Ordinal), error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    // With the tensors of a Linear(2, 3).
    private void Write(string description) => SafeTensors.Save(PathOf("one"), new Linear(2, 3).StateDict(),
        new Dictionary<string, string> { [ModelFile.Key] = description });

    // Shapes whose every axis has elements: the module's own may be those of an empty batch.
    private static int[] Sizes(ModuleCase row) => [.. row.Input.Select(size => size == 0 ? 2 : size)];

    private static Tensor Indices(ModuleCase row) =>
        (Tensor.Rand(Sizes(row), new Generator(3)) * row.IndexBelow * 0.999).To(DType.Int64);

    private static void Randomize(Module module)
    {
        var random = new Generator(7);
        foreach (var (_, value) in module.NamedState())
        {
            using var _ = new NoGrad();
            value.CopyFrom(Tensor.Rand([.. value.Shape], random) + 0.1);
        }
    }

    private static void Same(Module one, Module other)
    {
        var (own, read) = (one.StateDict(), other.StateDict());
        Assert.Equal(own.Keys, read.Keys);
        foreach (var (name, value) in own) Assert.True(value.HasBitsOf(read[name]), name);
    }

    private string PathOf(string name) => Path.Combine(folder, name + ".safetensors");

    private sealed class Doubling(int times) : Preprocessing
    {
        public int Times => times;

        public override string Kind => "doubling";

        public override void Write(Utf8JsonWriter json) => json.WriteNumber("times", times);
    }

    private sealed class Cell(int inputs, int width) : Module
    {
        public int Sum => inputs + width;
    }

    private sealed class Savable : Module, ISavableModule<Savable>
    {
        private readonly int inputs, width;

        public Savable(int inputs, int width)
        {
            (this.inputs, this.width) = (inputs, width);
            AddChild("input", new Linear(inputs, width));
            AddParameter("scale", Tensor.Randn([width], new Generator(1)));
        }

        public static Savable Create(ModuleSettings settings) =>
            new(settings.Integer("inputs", 1), settings.Integer("width", 1));

        public void Describe(ModuleSettings settings)
        {
            settings.Set("inputs", inputs);
            settings.Set("width", width);
        }
    }

    private sealed class Impostor : Module, ISavableModule<Impostor>
    {
        static string ISavableModule<Impostor>.TypeName => "Linear";

        public static Impostor Create(ModuleSettings settings) => new();
    }

    private sealed class Forgetful : Module, ISavableModule<Forgetful>
    {
        public Forgetful(int width = 3) => AddChild("inner", new Linear(width, width));

        public static Forgetful Create(ModuleSettings settings) => new();
    }

    private sealed class Tied : Module, ISavableModule<Tied>
    {
        public Tied(bool isTied = false)
        {
            var a = AddChild("a", new Linear(2, 2));
            AddChild("b", isTied ? a : new Linear(2, 2));
        }

        public static Tied Create(ModuleSettings settings) => new();
    }

    private sealed class Unread : Module, ISavableModule<Unread>
    {
        public static Unread Create(ModuleSettings settings) => new();

        public void Describe(ModuleSettings settings) => settings.Set("more", 1);
    }
}
