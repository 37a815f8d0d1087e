#:project ../../src/Adjoint/Adjoint.csproj
// A deep Q-network (Mnih et al. 2015) balances a pole on a cart: replay buffer, target network, gathering the values of
// the actions taken, Huber loss. Two captured functions: the action values of a state, and a whole step with clipping,
// the optimizer and the update of the target network. The reward is −1 at the end of an episode.
// The loop is written out: the data come from acting, between the steps, so there is no data set to pass over.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Actions = 2, BatchSize = 64, Episodes = 150, Longest = 300;
const double Discount = 0.95;
var (random, chance) = (new Generator(1), new Random(1));
var (online, target) = (new Mlp(4, [64], Actions, "relu", random), new Mlp(4, [64], Actions, "relu", random));
target.LoadStateDict(online.StateDict());
var optimizer = new Adam(online.Parameters(), learningRate: 0.002);
var replay = new List<(float[] State, int Action, float Reward, float[] Next, bool IsOver)>();

var valuesOf = CapturedFunction.Create((Tensor state) =>
{
    using var noGrad = new NoGrad();
    return online.Forward(state);
});
// The value of an action: its reward plus the value of the next state, unless the episode ended (isOver is 1).
var step = CapturedFunction.Create((Tensor[] batch) =>
{
    var (states, actions, rewards, nexts, isOver) = (batch[0], batch[1], batch[2], batch[3], batch[4]);
    Tensor expected;
    using (new NoGrad()) // one network chooses the next action, the other evaluates it (van Hasselt et al. 2016)
    {
        var best = online.Forward(nexts).ArgMax().Unsqueeze(1);
        expected = rewards + target.Forward(nexts).Gather(1, best).Squeeze(1) * (1 - isOver) * Discount;
    }
    var loss = Loss.Huber(online.Forward(states).Gather(1, actions.Unsqueeze(1)).Squeeze(1), expected);
    optimizer.ZeroGrad();
    loss.Backward();
    ClipGradients.ByNorm(online.Parameters(), 10);
    optimizer.Step();
    using (new NoGrad()) // the target network follows slowly
        foreach (var (slow, fast) in target.Parameters().Zip(online.Parameters()))
            slow.CopyFrom(slow + (fast - slow) * 0.02);
    return loss;
});

var lengths = new List<int>();
for (var episode = 1; episode <= Episodes; episode++)
{
    var pole = new CartPole(chance);
    var exploration = Math.Max(0.05, 1 - episode / 50.0);
    var (length, isOver) = (0, false);
    while (!isOver && length++ < Longest)
    {
        var state = pole.State;
        var action = chance.NextDouble() < exploration
            ? chance.Next(Actions)
            : (int)valuesOf.Run(Tensor.From(state, 1, 4)).ArgMax().Item();
        isOver = pole.Push(action);
        replay.Add((state, action, isOver ? -1 : 0, pole.State, isOver));
        if (replay.Count >= 500) step.Run(Draw());
    }
    lengths.Add(length);
    if (episode % 50 == 0)
        Console.WriteLine($"episode {episode}: balanced for {lengths[^50..].Average():0} of {Longest} steps");
}
Console.WriteLine($"captured: {step.Operations} operations of a step, {valuesOf.Operations} of the values");

// A random batch of transitions: states, actions, rewards, next states, whether the episode ended.
Tensor[] Draw()
{
    var drawn = Enumerable.Range(0, BatchSize).Select(_ => replay[chance.Next(replay.Count)]).ToArray();
    return
    [
        Tensor.From(drawn.SelectMany(seen => seen.State).ToArray(), BatchSize, 4),
        Tensor.From(drawn.Select(seen => (long)seen.Action).ToArray()),
        Tensor.From(drawn.Select(seen => seen.Reward).ToArray()),
        Tensor.From(drawn.SelectMany(seen => seen.Next).ToArray(), BatchSize, 4),
        Tensor.From(drawn.Select(seen => seen.IsOver ? 1f : 0).ToArray()),
    ];
}

// The equations of Barto, Sutton and Anderson (1983), in steps of 20 ms.
sealed class CartPole(Random chance)
{
    double place = chance.NextDouble() * 0.1 - 0.05, speed, angle = chance.NextDouble() * 0.1 - 0.05, turning;

    public float[] State => [(float)place, (float)speed, (float)angle * 5, (float)turning];

    // Pushes left (0) or right (1); returns whether the pole fell or the cart left the track.
    public bool Push(int action)
    {
        const double Gravity = 9.8, PoleMass = 0.1, Mass = 1.1, HalfLength = 0.5, Time = 0.02;
        var (sin, cos) = Math.SinCos(angle);
        var force = ((action == 1 ? 10 : -10) + PoleMass * HalfLength * turning * turning * sin) / Mass;
        var turn = (Gravity * sin - cos * force) / (HalfLength * (4.0 / 3 - PoleMass * cos * cos / Mass));
        var push = force - PoleMass * HalfLength * turn * cos / Mass;
        (place, speed) = (place + Time * speed, speed + Time * push);
        (angle, turning) = (angle + Time * turning, turning + Time * turn);
        return Math.Abs(place) > 2.4 || Math.Abs(angle) > 0.21;
    }
}
