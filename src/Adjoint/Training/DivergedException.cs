namespace Adjoint.Training;

/// <summary>The loss of a training step became NaN or infinite.</summary>
/// <param name="epoch">The epoch of the step, from 1.</param>
/// <param name="step">The step in it, from 1.</param>
/// <param name="loss">The loss of the step.</param>
/// <param name="cause">What was found to cause it, for the message.</param>
public sealed class DivergedException(int epoch, int step, double loss, string cause)
    : AdjointException(
        $"training: the loss became {loss} in epoch {epoch}, step {step}: {cause}; try a smaller learning rate")
{
    /// <summary>The epoch of the step, from 1.</summary>
    public int Epoch => epoch;

    /// <summary>The step in the epoch, from 1.</summary>
    public int Step => step;
}
