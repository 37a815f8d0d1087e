using Adjoint.Kernels;

namespace Adjoint.Nn;

/// <summary>
/// The base of recurrent networks of several layers, in one direction or both: <see cref="Lstm"/>, <see cref="Gru"/>
/// and <see cref="Rnn"/>. x (n, t, inputs) → outputs of the last layer (n, t, d·p), with d = 1 or 2 directions and p
/// the number of units or the width of the projection. Parameters have the names and layouts of PyTorch and begin as
/// U(−1/√units, 1/√units).
/// </summary>
public abstract class RecurrentLayer : Layer
{
    private static readonly int LstmGates = RecurrentCell.Lstm.Gates();

    private readonly RecurrentWeights[] weights;
    private readonly Dropout? dropout;

    private protected RecurrentLayer(
        string name, int gates, int inputs, int width, RecurrentOptions? options, Generator? generator)
    {
        options ??= new();
        if (inputs < 1 || width < 1)
            throw new AdjointException($"{name}: inputs and width must be positive: found {inputs} and {width}");
        if (options.Layers < 1)
            throw new AdjointException($"{name}: there must be 1 layer or more: found {options.Layers}");
        if (options.Dropout is not (>= 0 and < 1))
            throw new AdjointException(
                $"{name}: the probability of dropout must be in [0, 1): found {options.Dropout}");
        if (options.Projection != 0 && gates != LstmGates)
            throw new AdjointException(
                $"{name}: takes no projection, which only an LSTM has: found {options.Projection}; apply a Linear to "
                + "the outputs");
        if (options.Projection < 0 || options.Projection >= width)
            throw new AdjointException(
                $"{name}: a projection must be from 1 to {width - 1}, narrower than the {width} units, or 0 for none: "
                + $"found {options.Projection}");
        (Inputs, Width, Options) = (inputs, width, options);
        Directions = options.IsBidirectional ? 2 : 1;
        HiddenWidth = options.Projection > 0 ? options.Projection : width;
        weights = new RecurrentWeights[options.Layers * Directions];
        for (var i = 0; i < weights.Length; i++)
        {
            var suffix = $"_l{i / Directions}{(i % Directions == 1 ? "_reverse" : "")}";
            weights[i] = RecurrentParameters.Create(
                AddParameter, suffix, gates, i < Directions ? inputs : Directions * HiddenWidth, width,
                options.Projection, options.HasBias, generator);
        }
        if (options is { Dropout: > 0, Layers: > 1 })
            dropout = AddChild("dropout", new Dropout(options.Dropout, generator));
    }

    /// <summary>The number of inputs at each step.</summary>
    public int Inputs { get; }

    /// <summary>The number of units of each layer and direction.</summary>
    public int Width { get; }

    /// <summary>The options that it was made with.</summary>
    public RecurrentOptions Options { get; }

    /// <summary>The number of directions, 1 or 2.</summary>
    public int Directions { get; }

    /// <summary>The width p of hidden states: that of the projection, or the number of units.</summary>
    public int HiddenWidth { get; }

    /// <summary>The parameters, layer after layer, of each the forward direction first.</summary>
    public IReadOnlyList<RecurrentWeights> Weights => weights;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{TypeName}({Inputs} → {Width}{(Options.Layers > 1 ? $", {Options.Layers} layers" : "")}"
        + $"{(Directions == 2 ? ", both directions" : "")})";

    /// <summary>
    /// All layers and directions, from states (layers·d, n, …), the cells' null where there are none.
    /// </summary>
    private protected (Tensor Outputs, Tensor Hidden, Tensor? Cell) Run(
        Tensor x, Tensor? hidden, Tensor? cell, Tensor? lengths)
    {
        if (x.Rank != 3 || x.Shape[2] != Inputs)
            throw new AdjointException(
                $"{TypeName}: the input must be (n, t, {Inputs}): found {x.Shape}; one sequence alone takes "
                + ".Unsqueeze(0)");
        Check("hidden state", hidden, x, HiddenWidth);
        Check("cell state", cell, x, Width);
        var (hiddens, cells) = (new Tensor[weights.Length], new Tensor?[weights.Length]);
        for (var layer = 0; layer < Options.Layers; layer++)
        {
            if (layer > 0 && dropout is not null) x = dropout.Forward(x);
            var outputs = new Tensor[Directions];
            for (var direction = 0; direction < Directions; direction++)
            {
                var at = layer * Directions + direction;
                (outputs[direction], hiddens[at], cells[at]) = Apply(
                    x, weights[at], hidden?.Select(0, at), cell?.Select(0, at), lengths, isReverse: direction == 1);
            }
            x = Directions == 1 ? outputs[0] : Tensor.Concat(outputs, 2);
        }
        return (x, Tensor.Stack(hiddens), cells[0] is null ? null : Tensor.Stack(cells!));
    }

    /// <summary>The op of one layer and direction.</summary>
    private protected abstract (Tensor Outputs, Tensor Hidden, Tensor? Cell) Apply(
        Tensor x, RecurrentWeights weights, Tensor? hidden, Tensor? cell, Tensor? lengths, bool isReverse);

    private protected static RecurrentOptions Read(ModuleSettings settings) => new()
    {
        Layers = settings.Integer("layers", 1),
        IsBidirectional = settings.Flag("bidirectional"),
        Dropout = settings.Number("dropout"),
        Projection = settings.Has("projection") ? settings.Integer("projection") : 0,
        HasBias = settings.Flag("bias"),
    };

    private protected void Write(ModuleSettings settings)
    {
        settings.Set("inputs", Inputs);
        settings.Set("width", Width);
        settings.Set("layers", Options.Layers);
        settings.Set("bidirectional", Options.IsBidirectional);
        settings.Set("dropout", Options.Dropout);
        if (Options.Projection > 0) settings.Set("projection", Options.Projection);
        settings.Set("bias", Options.HasBias);
    }

    private void Check(string what, Tensor? state, Tensor x, int width)
    {
        var shape = (Shape)(int[])[weights.Length, x.Shape[0], width];
        if (state is not null && state.Shape != shape)
            throw new AdjointException(
                $"{TypeName}: the {what} must be {shape}, (layers·directions, n, width): found {state.Shape}");
    }
}
