namespace Adjoint.Nn;

/// <summary>
/// Multi-head attention (Vaswani et al. 2017): queries (n, t, width), keys and values (n, s, width) are projected to h
/// heads of width d = width/h, of which each attends by itself, and the results, side by side, are projected again:
/// (n, t, width). As a layer, x (n, t, width) attends to itself and sees all of itself. Parameters are named and laid
/// out as those of PyTorch's <c>nn.MultiheadAttention</c> and begin as them: <c>in_proj_weight</c> (3·width, width)
/// Xavier uniform, its rows those of queries, keys, values; <c>out_proj.weight</c> as
/// <see cref="Initializer.Default"/>; biases 0. Batches come first, and a mask is true where a query sees a key: see
/// <see cref="AttentionMask"/>.
/// </summary>
public sealed class MultiHeadAttention : Layer, ISavableModule<MultiHeadAttention>
{
    private readonly MultiHeadAttentionOptions options;
    private readonly Tensor inWeight;
    private readonly Tensor? inBias, slopes;
    private readonly Linear output;
    private readonly Generator generator;
    private readonly List<Action<MultiHeadAttention, Tensor>> weightsHooks = [];

    /// <summary>Creates an attention of the given width and number of heads.</summary>
    /// <param name="width">The size of the last axis of inputs and output, a multiple of the heads.</param>
    /// <param name="heads">The number h of heads, 1 or more.</param>
    /// <param name="options">Heads of keys and values, bias, dropout, positions; null: the usual ones.</param>
    /// <exception cref="AdjointException">
    /// The heads do not divide the width, or their number is not a multiple of those of keys and values; the dropout is
    /// not in [0, 1); θ is not positive and finite, or the width of a head is odd and cannot be rotated.
    /// </exception>
    public MultiHeadAttention(int width, int heads, MultiHeadAttentionOptions? options = null)
    {
        this.options = options ??= new();
        var shared = options.KeyValueHeads ?? heads;
        if (width < 1 || heads < 1 || width % heads != 0)
            throw new AdjointException(
                $"MultiHeadAttention: the heads must divide the width: found {heads} heads of a width of {width}");
        if (shared < 1 || heads % shared != 0)
            throw new AdjointException(
                $"MultiHeadAttention: the heads of keys and values must divide the heads: found {shared} for {heads}");
        if (options.Dropout is not (>= 0 and < 1))
            throw new AdjointException(
                $"MultiHeadAttention: the dropout must be in [0, 1): found {options.Dropout}");
        if (options.RotaryTheta is { } theta && !(theta > 0 && double.IsFinite(theta)))
            throw new AdjointException(
                $"MultiHeadAttention: θ of rotary positions must be positive and finite: found {theta}");
        if (options.RotaryTheta is not null && width / heads % 2 != 0)
            throw new AdjointException(
                $"MultiHeadAttention: rotary positions need heads of an even width: found {width / heads}; use "
                + "another number of heads");
        (Width, Heads, KeyValueHeads) = (width, heads, shared);
        var rows = (int)Math.Min(int.MaxValue, width + 2L * shared * HeadWidth);
        generator = AddGenerator("dropout", options.Generator ?? Generator.Default);
        (var weight, inBias) = InitialValues.Of((int[])[rows, width], options.HasBias ? rows : 0,
            Initializer.XavierUniform, generator);
        inWeight = AddParameter("in_proj_weight", weight);
        if (inBias is not null) AddParameter("in_proj_bias", inBias);
        output = AddChild("out_proj",
            new Linear(width, width, options.HasBias, Initializer.Default, generator));
        // No buffer, which would take on the type of the model.
        if (options.HasAlibi) slopes = AlibiSlopes(heads).Keep();
    }

    /// <summary>The size of the last axis of inputs and output.</summary>
    public int Width { get; }

    /// <summary>The number h of heads.</summary>
    public int Heads { get; }

    /// <summary>The number g of heads of keys and values; it divides <see cref="Heads"/>.</summary>
    public int KeyValueHeads { get; }

    /// <summary>The width d of a head.</summary>
    public int HeadWidth => Width / Heads;

    /// <summary>
    /// The slopes of ALiBi (Press, Smith and Lewis 2022): m = 2^(−8i/h) for the heads i = 1 … h, a geometric sequence
    /// for any number of heads. m times the distance of query and key is subtracted from a score.
    /// </summary>
    /// <param name="heads">The number h of heads, 1 or more.</param>
    /// <returns>Slopes (h) float64.</returns>
    /// <exception cref="AdjointException">The number is not positive.</exception>
    public static Tensor AlibiSlopes(int heads)
    {
        if (heads < 1) throw new AdjointException($"AlibiSlopes: at least one head is needed: found {heads}");
        return (Tensor.Arange(1, heads + 1.0, 1, DType.Float64) * (-8.0 * Math.Log(2) / heads)).Exp();
    }

    /// <summary>Lets a sequence attend to itself.</summary>
    /// <param name="x">The sequence (n, t, width).</param>
    /// <param name="mask">Which positions a position sees; null: all.</param>
    /// <param name="cache">
    /// What was seen before, to which keys and values of x are added: x goes on from there. Null: x is all there is.
    /// </param>
    /// <returns>The attended values (n, t, width).</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit, or the cache is full.</exception>
    public Tensor Forward(Tensor x, AttentionMask? mask, KeyValueCache? cache = null) =>
        Call([x, mask?.Mask, mask?.Lengths], () => Attend(x, x, x, mask, cache));

    /// <summary>Lets queries attend to keys, whose values they take.</summary>
    /// <param name="query">The queries (n, t, width).</param>
    /// <param name="key">The keys (n, s, width).</param>
    /// <param name="value">The values (n, s, width).</param>
    /// <param name="mask">Which keys a query sees; null: all.</param>
    /// <returns>The attended values (n, t, width).</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit.</exception>
    public Tensor Forward(Tensor query, Tensor key, Tensor value, AttentionMask? mask = null) =>
        Call([query, key, value, mask?.Mask, mask?.Lengths], () => Attend(query, key, value, mask, null));

    /// <summary>
    /// Calls a function with this module and the weights (n, h, t, s) of its heads each time that it attends: how much
    /// query i takes of key j, which adds up to 1 over the keys that it sees, without dropout. Only while there is such
    /// a function are weights ever in memory. A captured function does not call it.
    /// </summary>
    /// <param name="hook">Takes module and weights.</param>
    /// <returns>Dispose of it to remove the hook.</returns>
    public IDisposable RegisterWeightsHook(Action<MultiHeadAttention, Tensor> hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        weightsHooks.Add(hook);
        return new WeightsHook(weightsHooks, hook);
    }

    /// <summary>Allocates a cache for this attention, on its device and of its type.</summary>
    /// <param name="batch">The number n of sequences, 1 or more.</param>
    /// <param name="capacity">The number of positions to have room for, 1 or more.</param>
    /// <returns>The cache, empty.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public KeyValueCache CreateCache(int batch, int capacity) =>
        new(batch, KeyValueHeads, capacity, HeadWidth, inWeight.DType, inWeight.Device);

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => Attend(x, x, x, null, null);

    /// <inheritdoc/>
    public override string ToString() => Heads == KeyValueHeads
        ? $"MultiHeadAttention({Width}, {Heads} heads)"
        : $"MultiHeadAttention({Width}, {Heads} heads, {KeyValueHeads} of keys and values)";

    private Tensor Attend(Tensor query, Tensor key, Tensor value, AttentionMask? mask, KeyValueCache? cache)
    {
        Check(query, key, value);
        var (q, k, v) = Project(query, key, value);
        if (options.RotaryTheta is { } theta)
        {
            var start = cache?.Length ?? 0;
            var positions = Positions(start, query);
            q = q.RotaryEmbedding(positions, theta);
            k = k.RotaryEmbedding(query == key ? positions : Positions(start, key), theta);
        }
        if (cache is not null) (k, v) = cache.Append(k, v);
        var attention = new AttentionOptions
        {
            IsCausal = mask?.IsCausal ?? false,
            Mask = mask?.Mask,
            KeyLengths = mask?.Lengths,
            AlibiSlopes = slopes?.To(query.Device),
            Dropout = IsTraining ? options.Dropout : 0,
            Generator = generator,
        };
        if (weightsHooks.Count > 0 && Execution.Current.Arena is null) Show(q, k, attention);
        var y = q.ScaledDotProductAttention(k, v, attention);
        return output.Forward(y.Transpose(1, 2).Reshape(query.Shape.Sizes));
    }

    // To heads (n, h, t, d), (n, g, s, d) and (n, g, s, d): views of one product for each different input.
    private (Tensor Q, Tensor K, Tensor V) Project(Tensor query, Tensor key, Tensor value)
    {
        var (h, g) = (Heads, KeyValueHeads);
        if (query == key && key == value)
        {
            var all = Project(query, 0, h + 2 * g);
            return (all.Slice(1, 0, h), all.Slice(1, h, g), all.Slice(1, h + g, g));
        }
        var q = Project(query, 0, h);
        if (key != value) return (q, Project(key, h, g), Project(value, h + g, g));
        var both = Project(key, h, 2 * g);
        return (q, both.Slice(1, 0, g), both.Slice(1, g, g));
    }

    // By the rows of so many heads from the first on.
    private Tensor Project(Tensor x, int first, int heads)
    {
        var weight = inWeight.Slice(0, first * HeadWidth, heads * HeadWidth);
        var y = inBias is null
            ? x.MatMul(weight.Transpose())
            : x.Linear(weight, inBias.Slice(0, first * HeadWidth, heads * HeadWidth));
        return y.Reshape(x.Shape[0], x.Shape[1], heads, HeadWidth).Transpose(1, 2);
    }

    // The weights are what becomes of the rows of the identity.
    private void Show(Tensor q, Tensor k, AttentionOptions attention)
    {
        using var _ = new NoGrad();
        var (n, g, s) = (k.Shape[0], k.Shape[1], k.Shape[2]);
        var identity = Tensor.Eye(s, dtype: k.DType).Expand(n, g, s, s);
        var weights = q.ScaledDotProductAttention(k, identity, attention with { Dropout = 0 });
        foreach (var hook in weightsHooks.ToArray()) hook(this, weights.Keep());
    }

    private static Tensor Positions(int start, Tensor x) =>
        Tensor.Arange(start, start + (double)x.Shape[1], 1, DType.Int64);

    private void Check(Tensor query, Tensor key, Tensor value)
    {
        if (IsSequence(query) && IsSequence(key) && IsSequence(value) && key.Shape == value.Shape
            && query.Shape[0] == key.Shape[0]) return;
        throw new AdjointException(query == key && key == value
            ? $"{TypeName}: a sequence (n, t, {Width}) is needed: found {query.Shape}; one sequence alone takes "
                + ".Unsqueeze(0)"
            : $"{TypeName}: queries (n, t, {Width}), keys and values (n, s, {Width}) are needed: found {query.Shape}, "
                + $"{key.Shape} and {value.Shape}; batches come first");
    }

    private bool IsSequence(Tensor x) => x.Rank == 3 && x.Shape[2] == Width;

    static MultiHeadAttention ISavableModule<MultiHeadAttention>.Create(ModuleSettings settings) => new(
        settings.Integer("width"), settings.Integer("heads"), new()
        {
            KeyValueHeads = settings.Integer("keyValueHeads"),
            HasBias = settings.Flag("bias"),
            Dropout = settings.Number("dropout"),
            RotaryTheta = settings.Has("rotaryTheta") ? settings.Number("rotaryTheta") : null,
            HasAlibi = settings.Flag("alibi"),
        });

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("width", Width);
        settings.Set("heads", Heads);
        settings.Set("keyValueHeads", KeyValueHeads);
        settings.Set("bias", options.HasBias);
        settings.Set("dropout", options.Dropout);
        if (options.RotaryTheta is { } theta) settings.Set("rotaryTheta", theta);
        settings.Set("alibi", options.HasAlibi);
    }

    private sealed class WeightsHook(
        List<Action<MultiHeadAttention, Tensor>> hooks, Action<MultiHeadAttention, Tensor> hook) : IDisposable
    {
        private bool isRemoved;

        // Once: the same delegate may have been registered again.
        public void Dispose()
        {
            if (!isRemoved) hooks.Remove(hook);
            isRemoved = true;
        }
    }
}
