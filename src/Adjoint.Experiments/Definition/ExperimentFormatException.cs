using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>An experiment file is not what it should be: names file, line and column.</summary>
public sealed class ExperimentFormatException(string place, string problem)
    : AdjointException($"{place}: {DataFormatException.Abbreviate(problem)}");
