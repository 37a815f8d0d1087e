namespace Adjoint.Nn;

/// <summary>
/// The base of recurrent cells, one step of one layer: <see cref="LstmCell"/>, <see cref="GruCell"/> and
/// <see cref="RnnCell"/>. For whole sequences the layers are many times faster. Parameters have the names and layouts
/// of PyTorch and begin as U(−1/√width, 1/√width).
/// </summary>
public abstract class RecurrentCellModule : Module
{
    private protected RecurrentCellModule(
        string name, int gates, int inputs, int width, bool hasBias, Generator? generator)
    {
        if (inputs < 1 || width < 1)
            throw new AdjointException($"{name}: inputs and width must be positive: found {inputs} and {width}");
        (Inputs, Width) = (inputs, width);
        Weights = RecurrentParameters.Create(AddParameter, "", gates, inputs, width, 0, hasBias, generator);
    }

    /// <summary>The number of inputs.</summary>
    public int Inputs { get; }

    /// <summary>The number of units.</summary>
    public int Width { get; }

    /// <summary>The parameters of the cell.</summary>
    public RecurrentWeights Weights { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{TypeName}({Inputs} → {Width})";

    /// <summary>x (n, inputs) as sequences of one step.</summary>
    private protected Tensor Step(Tensor x) => x.Rank == 2 && x.Shape[1] == Inputs
        ? x.Unsqueeze(1)
        : throw new AdjointException(
            $"{TypeName}: the input must be (n, {Inputs}): found {x.Shape}; whole sequences take "
            + TypeName[..^"Cell".Length]);

    private protected void Write(ModuleSettings settings)
    {
        settings.Set("inputs", Inputs);
        settings.Set("width", Width);
        settings.Set("bias", Weights.InputBias is not null);
    }
}
