/** The dashboard, put together here alone. */
import { render } from "preact";
import { App } from "./app.tsx";
import { createRouter, RouterContext } from "./router/router.ts";
import { createStore, StoreContext } from "./store/store.ts";
import "./style/tokens.css";
import "./style/base.css";

const store = createStore((...asked) => window.fetch(...asked));
const router = createRouter(window);
const place = document.getElementById("app");
if (place === null) throw new Error("the page has no place for the app");
render(
  <StoreContext.Provider value={store}>
    <RouterContext.Provider value={router}>
      <App />
    </RouterContext.Provider>
  </StoreContext.Provider>,
  place,
);
void store.session.ask();
