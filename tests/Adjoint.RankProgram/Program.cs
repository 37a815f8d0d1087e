using Adjoint;
using Adjoint.Distributed;
using Adjoint.Mpi;
using Adjoint.RankProgram;

// A program that tests start under mpirun: MODE [SECONDS of --timeout] [a number]. Each rank prints lines that begin
// with its number, flushed at once; the exit code is 1 where an exception ends it, with its message.
var mode = args[0];
var timeout = args.Length > 1 ? double.Parse(args[1]) : 10;
var number = args.Length > 2 ? int.Parse(args[2]) : 0;
if (mode == "transport") return TransportChecks.Run();
if (mode == "speed") return TransportChecks.Measure();
Communicator opened;
try
{
    opened = MpiCommunicator.Open(new() { Timeout = TimeSpan.FromSeconds(timeout) });
}
catch (TransportException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
using var communicator = opened;
var rank = communicator.Rank;
void Say(string text)
{
    Console.Out.Write($"{rank} {text}\n");
    Console.Out.Flush();
}

try
{
    Say($"pid {Environment.ProcessId} of {communicator.Size} on {communicator.TransportName}");
    switch (mode)
    {
        case "collectives":
            CollectiveChecks.Run(communicator);
            break;
        case "mismatch":
            if (rank == 1) communicator.Barrier("at the end");
            else communicator.AllGather("losses", [1]);
            break;
        case "leave":
            if (rank == 0) communicator.Barrier("batch");
            break;
        case "facts":
            communicator.RequireAlike([("lr", rank == communicator.Size - 1 ? "0.1" : "0.01")]);
            break;
        case "fail":
            communicator.Barrier("begin");
            if (rank == 1) throw new InvalidOperationException("no such column");
            communicator.Barrier("end");
            break;
        case "work":
            // Computes, and meets the others, until the seconds are over.
            for (var step = 1; step <= number * 20; step++)
            {
                communicator.Step = step;
                var all = communicator.AllGather("losses", BitConverter.GetBytes(step * (rank + 1)));
                if (all.Select((one, i) => BitConverter.ToInt32(one) == step * (i + 1)).Contains(false)) return 9;
                if (step == 1) Say("begins");
                Thread.Sleep(50);
            }
            break;
    }
    Say("ends");
    return mode == "exit" ? number : 0;
}
catch (Exception error) when (error is AdjointException or InvalidOperationException)
{
    communicator.Fail(error);
    Say($"{error.GetType().Name}: {error.Message}");
    communicator.Dispose();
    // mpirun ends the others as soon as one has ended: here they have the time to say why.
    Thread.Sleep(500);
    return 1;
}
