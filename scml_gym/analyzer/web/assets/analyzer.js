// What happens in the browser alone: choices, downloads, the replay of a day, dark and light.
"use strict";

(function () {
    const root = document.documentElement;

    function setTheme(theme) {
        root.dataset.theme = theme;
        root.dataset.agThemeMode = theme;
    }

    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const kept = window.localStorage.getItem("scml-analyzer-theme");
    setTheme(kept || (dark.matches ? "dark" : "light"));

    document.addEventListener("click", (event) => {
        if (event.target.closest("#theme")) {
            const theme = root.dataset.theme === "dark" ? "light" : "dark";
            setTheme(theme);
            window.localStorage.setItem("scml-analyzer-theme", theme);
        }
    });

    // a cell of a table has the focus, not the link in it
    document.addEventListener("keydown", (event) => {
        const cell = document.activeElement;
        if (event.key === "Enter" && cell && cell.classList.contains("ag-cell")) {
            const link = cell.querySelector("a");
            if (link) {
                link.click();
            }
        }
    });

    // a figure as a picture, light also where the page is dark
    document.addEventListener("click", (event) => {
        const button = event.target.closest("button.picture");
        const figure = button && button.closest("figure").querySelector(".js-plotly-plot");
        if (figure) {
            const white = {paper_bgcolor: "#fff", plot_bgcolor: "#fff"};
            const {width, height} = figure._fullLayout;
            const options = {format: button.dataset.format, filename: button.dataset.name, width, height, scale: 2};
            window.Plotly.downloadImage({data: figure.data, layout: Object.assign({}, figure.layout, white)}, options);
        }
    });

    function keep(query) {
        const search = query.toString();
        window.history.replaceState(window.history.state, "", window.location.pathname + (search && "?" + search));
    }

    // an address with another choice; choices that depend on it are dropped
    function choose(values, ids) {
        const query = new URLSearchParams(window.location.search);
        let changed = false;
        values.forEach((value, i) => {
            if ((value || "") === ids[i].now) {
                return;
            }
            changed = true;
            ids[i].drops.split(" ").filter(Boolean).forEach((name) => query.delete(name));
            if (value) {
                query.set(ids[i].choice, value);
            } else {
                query.delete(ids[i].choice);
            }
        });
        return changed ? (query.toString() && "?" + query.toString()) : window.dash_clientside.no_update;
    }

    function showUpTo(round) {
        document.querySelectorAll("[data-round]").forEach((part) => {
            const at = Number(part.dataset.round);
            part.hidden = at > round;
            part.classList.toggle("now", at === round);
        });
        document.querySelectorAll(".negotiation ol").forEach((list) => (list.scrollTop = list.scrollHeight));
        document.querySelectorAll("[data-by-round]").forEach((part) => {
            const values = part.dataset.byRound.split(" ");
            const value = values[Math.min(round, values.length - 1)];
            part.textContent = value;
            part.classList.toggle("negative", Number(value) < 0);
        });
    }

    function replay(round) {
        showUpTo(round);
        window.requestAnimationFrame(() => showUpTo(round));
        const query = new URLSearchParams(window.location.search);
        query.set("round", round);
        keep(query);
        return "Round " + round;
    }

    function entitle() {
        window.requestAnimationFrame(() => {
            const title = document.querySelector("main h1");
            document.title = (title ? title.textContent + " - " : "") + "SCML analyzer";
        });
        return "";
    }

    // a text that a spreadsheet would take for a formula is marked as a text
    function cell(params) {
        const value = params.value;
        if (value === null || value === undefined) {
            return "";
        }
        const formula = typeof value === "string" && /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value));
        return formula ? "'" + value : value;
    }

    function download(clicks, id, params) {
        if (clicks) {
            const grid = Object.assign({}, id, {what: "grid"});
            window.dash_ag_grid.getApi(grid).exportDataAsCsv({...params, processCellCallback: cell});
        }
        return window.dash_clientside.no_update;
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        analyzer: {choose, replay, entitle, download, restore, cell},
    });

    // how a table is sorted and filtered stands in the address: sort.NAME=column,-column and filter.NAME=JSON
    const kinds = {
        text: ["contains", "notContains", "equals", "notEqual", "startsWith", "endsWith", "blank", "notBlank"],
        number: [
            "equals", "notEqual", "greaterThan", "greaterThanOrEqual", "lessThan", "lessThanOrEqual", "inRange", "blank",
            "notBlank",
        ],
    };

    function validFilter(filter, kind) {
        if (filter === null || typeof filter !== "object" || filter.filterType !== kind) {
            return false;
        }
        if (Array.isArray(filter.conditions)) {
            return (
                ["AND", "OR"].includes(filter.operator) &&
                filter.conditions.length === 2 &&
                filter.conditions.every((part) => validFilter(part, kind) && !part.conditions)
            );
        }
        const type = kind === "number" ? "number" : "string";
        const needed = {blank: [], notBlank: [], inRange: ["filter", "filterTo"]}[filter.type] || ["filter"];
        return kinds[kind].includes(filter.type) && needed.every((name) => typeof filter[name] === type);
    }

    function columnOf(api, name) {
        return api.getColumns().find((column) => column.getColId() === name);
    }

    function validFilters(text, api) {
        let given = null;
        try {
            given = JSON.parse(text);
        } catch {
            return {};
        }
        const valid = Object.entries(given || {}).filter(([name, filter]) => {
            const column = columnOf(api, name);
            const kind = column && (column.getColDef().filter === "agNumberColumnFilter" ? "number" : "text");
            return kind && validFilter(filter, kind);
        });
        return Object.fromEntries(valid);
    }

    function keepTable(params, name) {
        const query = new URLSearchParams(window.location.search);
        const sorted = params.api.getColumnState().filter((column) => column.sort);
        sorted.sort((a, b) => a.sortIndex - b.sortIndex);
        const filters = params.api.getFilterModel();
        const put = (key, there, value) => (there ? query.set(key, value) : query.delete(key));
        put("sort." + name, sorted.length, sorted.map((c) => (c.sort === "desc" ? "-" : "") + c.colId).join(","));
        put("filter." + name, Object.keys(filters).length, JSON.stringify(filters));
        keep(query);
    }

    function restoreTable(api, name) {
        const query = new URLSearchParams(window.location.search);
        const [sort, filter] = [query.get("sort." + name), query.get("filter." + name)];
        if (sort) {
            const state = sort.split(",").map((text, sortIndex) => {
                const down = text.startsWith("-");
                return {colId: down ? text.slice(1) : text, sort: down ? "desc" : "asc", sortIndex};
            });
            api.applyColumnState({state: state.filter((column) => columnOf(api, column.colId))});
        }
        if (filter) {
            api.setFilterModel(validFilters(filter, api));
        }
    }

    // a table is there: put it in order as its address says
    function restore(id) {
        window.dash_ag_grid.getApiAsync(id).then((api) => restoreTable(api, id.table));
        return window.dash_clientside.no_update;
    }

    const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
    const whole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
    functions.keepTable = keepTable;
    functions.readable = function (params) {
        const value = params.value;
        if (value === null || value === undefined) {
            return "";
        }
        if (Number.isInteger(value)) {
            return Math.abs(value) < 10000 ? String(value) : whole.format(value);
        }
        const digits = Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 1 ? 3 : 4;
        return value.toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits});
    };

    const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
    components.LinkCell = function (props) {
        const href = props.data["link " + props.colDef.field];
        const text = String(props.value === null || props.value === undefined ? "" : props.valueFormatted || props.value);
        if (!href) {
            return text;
        }
        return React.createElement(window.dash_core_components.Link, {href: href, children: text});
    };
})();
