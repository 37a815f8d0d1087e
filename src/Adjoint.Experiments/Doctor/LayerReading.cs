namespace Adjoint.Experiments;

/// <summary>What the training doctor measured of a layer in an epoch.</summary>
/// <param name="Epoch">The epoch; 0 is before training.</param>
/// <param name="Layer">The layer's path in the network, such as <c>features.3</c>.</param>
/// <param name="GradientNorm">
/// 2-norm of the gradient of its parameters, after the epoch's second step; NaN for layers without parameters.
/// </param>
/// <param name="UpdateRatio">
/// ‖Δw‖₂ / ‖w‖₂: how much that step changed its parameters w, as a share of their size; NaN for layers without.
/// </param>
/// <param name="Idle">
/// The share of ReLU units that are 0, or of sigmoid outputs that are within 0.02 of 0 or 1, on some validation
/// samples; NaN for other layers.
/// </param>
public sealed record LayerReading(int Epoch, string Layer, double GradientNorm, double UpdateRatio, double Idle);
