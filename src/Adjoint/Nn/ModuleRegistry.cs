using System.Collections.Concurrent;

namespace Adjoint.Nn;

/// <summary>
/// The types of modules that can be made again from a model file, by name: all of the library, as an explicit list, and
/// those that a program registers.
/// </summary>
public static class ModuleRegistry
{
    private static readonly ConcurrentDictionary<string, Entry> ByName = [];
    private static readonly ConcurrentDictionary<Type, Entry> ByType = [];

    static ModuleRegistry()
    {
        Register<Sequential>();
        Register<ModuleList<Layer>>();
        Register<ModuleList<Module>>();
        Register<ModuleDict<Layer>>();
        Register<ModuleDict<Module>>();
        Register<Linear>();
        Register<Embedding>();
        Register<Rnn>();
        Register<Gru>();
        Register<Lstm>();
        Register<RnnCell>();
        Register<GruCell>();
        Register<LstmCell>();
        Register<LstmLanguageModel>();
        Register<Conv1d>();
        Register<Conv2d>();
        Register<ConvTranspose2d>();
        Register<WhiteningConv2d>();
        Register<BatchNorm>();
        Register<GroupNorm>();
        Register<InstanceNorm>();
        Register<LayerNorm>();
        Register<RmsNorm>();
        Register<Standardize>();
        Register<Rescale>();
        Register<MaxPool2d>();
        Register<AvgPool2d>();
        Register<AdaptiveAvgPool2d>();
        Register<GlobalAvgPool2d>();
        Register<Upsample>();
        Register<ZeroPad2d>();
        Register<ReflectionPad2d>();
        Register<Dropout>();
        Register<Dropout2d>();
        Register<StochasticDepth>();
        Register<SqueezeExcitation>();
        Register<Flatten>();
        Register<Scale>();
        Register<Sigmoid>();
        Register<Relu>();
        Register<Relu6>();
        Register<HardSigmoid>();
        Register<HardSwish>();
        Register<Tanh>();
        Register<Gelu>();
        Register<Silu>();
        Register<Softplus>();
        Register<LeakyRelu>();
        Register<Elu>();
        Register<Softmax>();
        Register<MultiHeadAttention>();
        Register<LearnedPositions>();
        Register<SinusoidalPositions>();
        Register<TransformerEncoderLayer>();
        Register<TransformerEncoder>();
        Register<TransformerDecoderLayer>();
        Register<TransformerDecoder>();
        Register<Mlp>();
        Register<LeNet5>();
        Register<LeNetCifar>();
        Register<CifarResNet>();
        Register<ResidualBlock>();
        Register<SpeedNet>();
        Register<ConvNext>();
        Register<VisionTransformer>();
        Register<ResNet>();
        Register<Vgg>();
        Register<SqueezeNet>();
        Register<ShuffleNetV2>();
        Register<MobileNetV2>();
        Register<MobileNetV3>();
        Register<EfficientNet>();
        Register<Gpt>();
        Register<Bert>();
        Register<BertClassifier>();
    }

    /// <summary>The names of all types that can be made from a file, in alphabetical order.</summary>
    public static IReadOnlyList<string> TypeNames => [.. ByName.Keys.Order(StringComparer.Ordinal)];

    /// <summary>
    /// Lets modules of a type be saved in model files and made again from them. Call it once, before the first file is
    /// read or written; calling it again changes nothing.
    /// </summary>
    /// <typeparam name="T">The type of the module.</typeparam>
    /// <exception cref="AdjointException">The name of the type in files is that of another type.</exception>
    public static void Register<T>() where T : Module, ISavableModule<T>
    {
        var entry = ByType.GetOrAdd(typeof(T), new Entry(T.TypeName, typeof(T), static settings => T.Create(settings)));
        if (ByName.GetOrAdd(entry.Name, entry).Type == typeof(T)) return;
        ByType.TryRemove(typeof(T), out _);
        throw new AdjointException(
            $"ModuleRegistry: the name {entry.Name} is taken by {ByName[entry.Name].Type}; give {typeof(T)} another "
            + "one: static string ISavableModule<…>.TypeName");
    }

    /// <summary>The entry of a type of that name in files; null where there is none.</summary>
    internal static Entry? Named(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The entry of a type; null where there is none.</summary>
    internal static Entry? Of(Type type) => ByType.GetValueOrDefault(type);

    internal sealed record Entry(string Name, Type Type, Func<ModuleSettings, Module> Create);
}
