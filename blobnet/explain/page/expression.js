// Formulas of one number: text -> function of {x, y}. The page may not run text as a program, so it reads it itself.

const FUNCTIONS = {exp: Math.exp, log: Math.log, log1p: Math.log1p, sqrt: Math.sqrt, abs: Math.abs, tanh: Math.tanh,
                   sign: Math.sign, min: Math.min, max: Math.max, pow: Math.pow, where: (c, a, b) => c ? a : b};

// From what binds least to what binds most.
const BINARY = [
  {"||": (a, b) => a || b}, {"&&": (a, b) => a && b},
  {"==": (a, b) => a === b, "!=": (a, b) => a !== b},
  {"<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "<": (a, b) => a < b, ">": (a, b) => a > b},
  {"+": (a, b) => a + b, "-": (a, b) => a - b}, {"*": (a, b) => a * b, "/": (a, b) => a / b},
];

const TOKEN = /\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\*\*|<=|>=|===?|!==?|&&|\|\||[-+*/()<>!,])/y;

function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`cannot read the formula ${text}`);
    found.push(match[1].replace(/^([=!]=)=$/, "$1"));
  }
  return found;
}

function parseExpression(text) {
  const list = tokens(text);
  let next = 0;

  const expect = (token) => {
    if (list[next++] !== token) throw new Error(`expected ${token} in the formula ${text}`);
  };

  const binary = (level) => {
    if (level === BINARY.length) return unary();
    let left = binary(level + 1);
    while (list[next] in BINARY[level]) {
      const apply = BINARY[level][list[next++]], first = left, second = binary(level + 1);
      left = (names) => apply(first(names), second(names));
    }
    return left;
  };

  const unary = () => {
    const sign = list[next];
    if (sign !== "-" && sign !== "+" && sign !== "!") return power();
    next++;
    const inner = unary();
    return {"-": (names) => -inner(names), "+": inner, "!": (names) => !inner(names)}[sign];
  };

  const power = () => {
    const base = atom();
    if (list[next] !== "**") return base;
    next++;
    const exponent = unary();
    return (names) => base(names) ** exponent(names);
  };

  const atom = () => {
    const token = list[next++];
    if (token === "(") {
      const inner = binary(0);
      expect(")");
      return inner;
    }
    if (list[next] === "(" && Object.hasOwn(FUNCTIONS, token)) return call(FUNCTIONS[token]);
    if (token === "x" || token === "y") return (names) => names[token];
    if (!/^[\d.]/.test(token ?? "")) throw new Error(`unknown ${token} in the formula ${text}`);
    return () => Number(token);
  };

  const call = (apply) => {
    const given = [];
    do {
      next++;
      given.push(binary(0));
    } while (list[next] === ",");
    expect(")");
    return (names) => apply(...given.map((argument) => argument(names)));
  };

  const whole = binary(0);
  if (next < list.length) throw new Error(`unexpected ${list[next]} in the formula ${text}`);
  return whole;
}
