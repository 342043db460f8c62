// The classes of puzzle that there are (docs/PROTOCOL.md §18), and what each would take here.

// Of the mean, by how many nonces there are: nine in ten are done within the first, 99 in 100 within the second.
const WITHIN = { 1: [2.31, 4.61], 4: [1.68, 2.52], 16: [1.34, 1.68] };

// How many nonces, with how many bits each, at a cost.
const LAYOUTS = {
  hash: (cost) => split(cost, 4),
  pbkdf2: (cost) => split(Math.max(cost - 12, 0), 2),
};

function split(bits, by) {
  return bits < by ? { count: 1, bits } : { count: 2 ** by, bits: bits - by };
}

// Of the classes that a price names, the one that is done first with bad luck. `rates`: tries a second in each.
export function planned({ cost, classes }, rates) {
  const plans = classes.filter((name) => rates[name]).map((name) => {
    const { count, bits } = LAYOUTS[name](cost);
    const mean = (count * 2 ** bits) / rates[name];
    const [mostly, most] = WITHIN[count].map((times) => times * mean);
    return { name, count, bits, mean, mostly, most };
  });
  return plans.reduce((one, other) => (other.most < one.most ? other : one));
}
