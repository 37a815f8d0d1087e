namespace Adjoint.Training;

/// <summary>A step of a training run, one batch, and its loss.</summary>
/// <param name="Epoch">The epoch, counted from 1.</param>
/// <param name="Step">The step in the epoch, counted from 1.</param>
/// <param name="Steps">The number of steps per epoch.</param>
/// <param name="Loss">The loss of the batch, its mean.</param>
/// <param name="Samples">The number of samples in the batch.</param>
public readonly record struct StepInfo(int Epoch, int Step, int Steps, double Loss, int Samples);
