// SvelteKit 2, which Node 20 builds; SvelteKit 3 takes the same in vite.config.js: sveltekit({ adapter: ... }).
import adapter from "@sveltejs/adapter-static";

export default { kit: { adapter: adapter() } };
