/** The browsers that this machine has, and visits to pages in them. */
import type { Visit, VisitResult } from "./visits.ts";
import { MINI_BROWSER, visitInWebKit } from "./webkit.ts";

/** A browser. */
export interface Browser {
  name: "Chromium" | "Firefox" | "WebKit";
  /** Why it cannot be driven here, for a test's name; null where it can. */
  missing: string | null;
  /** Its program; undefined where there is none, and for WebKit, which puppeteer does not drive. */
  path?: string;
  /** Opens pages, one after the other, each in a tab of its own. */
  visit(visits: readonly Visit[]): Promise<VisitResult[]>;
}

const chromium = find([
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
]);
const firefox = find(["/usr/bin/firefox-esr", "/usr/bin/firefox"]);
const hasWebKit = ["/usr/bin/WebKitWebDriver", MINI_BROWSER, "/usr/bin/Xvfb"].every((path) =>
  find([path]) !== undefined
);

/** All browsers of the tests. */
export const BROWSERS: readonly Browser[] = [
  byScript("Chromium", chromium, "Debian's chromium"),
  byScript("Firefox", firefox, "Debian's firefox-esr"),
  {
    name: "WebKit",
    missing: hasWebKit ? null : "needs Debian's webkit2gtk-driver and xvfb",
    visit: visitInWebKit,
  },
];

/** The name of a test, with the reason why it is ignored. */
export function testName(name: string, missing: string | null): string {
  return missing === null ? name : `${name} (ignored: ${missing})`;
}

/** A browser that visit_script.ts drives. */
function byScript(name: Browser["name"], path: string | undefined, packages: string): Browser {
  return {
    name,
    missing: path === undefined ? `needs ${packages}` : null,
    path,
    async visit(visits) {
      const script = new URL("visit_script.ts", import.meta.url).pathname;
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--allow-all", script, name, path!, JSON.stringify(visits)],
        signal: AbortSignal.timeout(300_000), // ends what hangs
      }).output();
      if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
      return JSON.parse(new TextDecoder().decode(stdout));
    },
  };
}

function find(paths: string[]): string | undefined {
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
