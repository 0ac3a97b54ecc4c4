/** The data sets that come in MNIST's files, by the names of their files and folders: classes, orientation. */

/** What is special about one of MNIST's kin. */
export interface MnistVariant {
  /** A short name. */
  name: string;
  /** The classes, from the first label on. */
  classNames: readonly string[];
  /** The number of the first class in the files. */
  firstLabel: number;
  /** Whether its images lie on their side. */
  isTransposed: boolean;
  /** Whether there are only as many classes as the labels say. */
  isOpen: boolean;
}

const DIGITS = Array.from("0123456789");
const CAPITALS = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
const SMALL = CAPITALS.map((letter) => letter.toLowerCase());
/** The small letters that do not look like their capitals, which EMNIST keeps apart. */
const DISTINCT_SMALL = Array.from("abdefghnqrt");

/** Zalando's classes, https://github.com/zalandoresearch/fashion-mnist. */
const FASHION = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** T. Clanuwat et al., "Deep Learning for Classical Japanese Literature", 2018. */
const KUZUSHIJI = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"];

/** G. Cohen et al., "EMNIST: an extension of MNIST to handwritten letters", 2017. */
const EMNIST: Readonly<Record<string, readonly string[]>> = {
  byclass: [...DIGITS, ...CAPITALS, ...SMALL],
  bymerge: [...DIGITS, ...CAPITALS, ...DISTINCT_SMALL],
  balanced: [...DIGITS, ...CAPITALS, ...DISTINCT_SMALL],
  letters: CAPITALS,
  digits: DIGITS,
  mnist: DIGITS,
};

/** What a file of images is, by its path. */
export function mnistVariant(path: string): MnistVariant {
  const lower = path.toLowerCase();
  const split = /emnist-(byclass|bymerge|balanced|letters|digits|mnist)-[^/\\]*$/.exec(lower)?.[1];
  const common = { firstLabel: 0, isTransposed: false, isOpen: false };
  if (split !== undefined) {
    return {
      name: `emnist-${split}`,
      classNames: EMNIST[split],
      firstLabel: split === "letters" ? 1 : 0,
      isTransposed: true,
      isOpen: false,
    };
  }
  if (/fashion[-_ ]?mnist/.test(lower)) {
    return { ...common, name: "fashion-mnist", classNames: FASHION };
  }
  if (/kmnist|kuzushiji/.test(lower)) return { ...common, name: "kmnist", classNames: KUZUSHIJI };
  return { ...common, name: "mnist", classNames: DIGITS, isOpen: true };
}
