namespace Adjoint.Experiments;

/// <summary>The training loss around a step: the mean per sample since the point before.</summary>
/// <param name="Epoch">The epoch of the step, from 1.</param>
/// <param name="Step">The step in the epoch, from 1.</param>
/// <param name="Steps">The number of steps of an epoch.</param>
/// <param name="Loss">The mean loss per sample since the point before.</param>
public readonly record struct StepLoss(int Epoch, int Step, int Steps, double Loss)
{
    /// <summary>How many epochs were done after the step; 1.5 is in the middle of the second.</summary>
    public double Position => Epoch - 1 + (double)Step / Steps;
}
