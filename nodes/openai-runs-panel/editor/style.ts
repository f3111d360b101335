/** The looks of the tab, in the editor's own colours, light and dark. */
export const STYLE = `
.runs-panel{position:relative;height:100%;container-type:inline-size;color:var(--red-ui-primary-text-color)}
.runs-panel .runs-main{display:flex;flex-direction:column;position:absolute;inset:0}
.runs-panel .runs-page{display:flex;flex-direction:column;flex:1;min-height:0;overflow-y:auto}
.runs-panel [hidden]{display:none!important}
.runs-panel .runs-modes,.runs-panel .runs-tabs{display:flex;border-bottom:1px solid var(--red-ui-secondary-border-color);flex:none}
.runs-panel .runs-modes button,.runs-panel .runs-tabs button{flex:1 1 auto;border:0;background:none;color:inherit;padding:7px 2px;border-bottom:2px solid transparent;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:12px}
.runs-panel [aria-selected=true]{border-bottom-color:var(--red-ui-form-input-focus-color)!important;font-weight:bold}
.runs-panel .runs-bar,.runs-panel .runs-head{display:flex;align-items:center;gap:4px;padding:6px 8px;flex:none;border-bottom:1px solid var(--red-ui-secondary-border-color)}
.runs-panel .runs-bar select{flex:1;min-width:0;margin:0}
.runs-panel .runs-sums{flex:1;font-size:11px;line-height:1.35;color:var(--red-ui-secondary-text-color)}
.runs-panel .runs-filters{display:none;flex-wrap:wrap;gap:4px;padding:6px 8px;border-bottom:1px solid var(--red-ui-secondary-border-color)}
.runs-panel .runs-filters.runs-open{display:flex}
.runs-panel .runs-filters>*{flex:1 1 46%;min-width:0;margin:0!important;width:46%}
.runs-panel .runs-filters>input{flex-basis:100%}
.runs-panel .runs-scroll{flex:1;min-height:0;overflow:auto;position:relative}
.runs-panel .runs-scroll:not(.runs-talk){min-height:128px}
.runs-panel .runs-space{position:relative}
.runs-panel .runs-space .runs-row{position:absolute;left:0;right:0;top:0}
.runs-panel .runs-row{height:64px;box-sizing:border-box;padding:5px 10px;cursor:pointer;border-bottom:1px solid var(--red-ui-secondary-border-color);background:var(--red-ui-secondary-background);line-height:17px;overflow:hidden}
.runs-panel .runs-row:hover{background:var(--red-ui-list-item-background-hover)}
.runs-panel .runs-row>div:nth-child(2){font-size:13px}
.runs-panel .runs-from{font-size:12px}
.runs-panel .runs-row:focus{outline:2px solid var(--red-ui-form-input-focus-color);outline-offset:-2px}
.runs-panel .runs-row>div{display:flex;gap:6px;align-items:baseline;white-space:nowrap}
.runs-panel .runs-row i{width:14px;text-align:center;flex:none}
.runs-panel .runs-fill{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.runs-panel .runs-from{flex:0 1 auto;max-width:50%;overflow:hidden;text-overflow:ellipsis}
.runs-panel .runs-dim{color:var(--red-ui-secondary-text-color);font-size:11px}
.runs-panel .runs-link{border:0;background:none;padding:0;color:var(--red-ui-text-color-link);font:inherit;cursor:pointer}
.runs-panel .runs-from.runs-link{font-size:12px}
.runs-panel .runs-link:hover{text-decoration:underline}
.runs-panel .runs-pinned{flex:none;max-height:45%;overflow:auto;border-bottom:2px solid var(--red-ui-secondary-border-color)}
.runs-panel .runs-pinned:empty{display:none}
.runs-panel .runs-pinned .runs-row{border-left:3px solid var(--red-ui-node-status-colors-blue)}
.runs-panel .runs-note,.runs-panel .runs-empty:not(:empty){padding:12px;text-align:center;color:var(--red-ui-secondary-text-color)}
.runs-panel .runs-green{color:var(--red-ui-node-status-colors-green)}
.runs-panel .runs-red{color:var(--red-ui-node-status-colors-red)}
.runs-panel .runs-yellow{color:var(--red-ui-node-status-colors-yellow)}
.runs-panel .runs-blue{color:var(--red-ui-node-status-colors-blue)}
.runs-panel .runs-grey{color:var(--red-ui-node-status-colors-grey)}
.runs-panel b.runs-yellow,.runs-panel b.runs-green{color:inherit}
.runs-panel .runs-body{padding:10px}
.runs-panel .runs-reason{margin:8px;padding:8px;border:1px solid var(--red-ui-node-status-colors-red);border-left-width:4px;border-radius:3px;overflow-wrap:anywhere}
.runs-panel .runs-reason button{margin-top:6px}
.runs-panel pre{white-space:pre-wrap;overflow-wrap:anywhere;font:11px/1.4 var(--red-ui-monospace-font);margin:2px 0 8px;padding:6px;background:var(--red-ui-form-input-background);color:var(--red-ui-primary-text-color);border:1px solid var(--red-ui-secondary-border-color);max-height:300px;overflow:auto}
.runs-panel pre.runs-raw{max-height:none;margin-top:8px}
.runs-panel .runs-timeline{width:100%;max-width:640px;display:block}
.runs-panel .runs-timeline text{fill:var(--red-ui-primary-text-color);font-size:11px}
.runs-panel .runs-track{fill:transparent}
.runs-panel .runs-bar-queued{fill:var(--red-ui-node-status-colors-grey)}
.runs-panel .runs-bar-first,.runs-panel .runs-bar-model{fill:var(--red-ui-node-status-colors-blue)}
.runs-panel .runs-bar-text{fill:var(--red-ui-node-status-colors-green)}
.runs-panel .runs-bar-tool,.runs-panel .runs-bar-tools{fill:var(--red-ui-node-status-colors-yellow)}
.runs-panel .runs-bubble{margin:0 0 8px;padding:6px 9px;border-radius:6px;border:1px solid var(--red-ui-secondary-border-color);max-width:92%;box-sizing:border-box;width:fit-content;background:var(--red-ui-form-input-background)}
.runs-panel .runs-user{margin-left:auto;background:var(--red-ui-list-item-background-selected)}
.runs-panel .runs-who{display:flex;gap:8px}
.runs-panel .runs-said{white-space:pre-wrap;overflow-wrap:anywhere}
.runs-panel .runs-own{border-color:var(--red-ui-form-input-focus-color)}
.runs-panel .runs-call{margin:0 0 8px;padding:6px 9px;border:1px dashed var(--red-ui-secondary-border-color);border-radius:6px}
.runs-panel .runs-call summary,.runs-panel .runs-options summary{cursor:pointer}
.runs-panel textarea,.runs-panel .runs-options input{width:100%;box-sizing:border-box;margin:2px 0;resize:vertical}
.runs-panel .runs-check{display:flex;gap:6px;align-items:baseline;margin:2px 0 6px;font-size:12px}
.runs-panel .runs-check input{width:auto;margin:0;flex:none}
.runs-panel .runs-row-of{display:flex;flex-wrap:wrap;gap:4px 6px;align-items:baseline;min-width:0}
.runs-panel .runs-mark{padding:0 6px;border-radius:8px;font-size:11px;background:var(--red-ui-list-item-background-selected);border:1px solid var(--red-ui-secondary-border-color)}
.runs-panel .runs-told{margin:4px 0;font-size:12px;overflow-wrap:anywhere}
.runs-panel .runs-sum{margin:0 0 8px}
.runs-panel .runs-strip{display:flex;flex-wrap:wrap;gap:6px;margin-top:4px}
.runs-panel .runs-thumbnail{border:1px solid var(--red-ui-secondary-border-color);border-radius:4px;padding:0;background:none;cursor:zoom-in;line-height:0;max-width:100%;overflow:hidden}
.runs-panel .runs-thumbnail img{max-height:64px;max-width:100%}
.runs-panel .runs-thumbnail img:not([src]){width:64px;height:64px}
.runs-panel .runs-thumbnail.runs-large{cursor:zoom-out}
.runs-panel .runs-thumbnail.runs-large img{max-height:none}
.runs-panel .runs-picture{position:relative}
.runs-panel .runs-picture .red-ui-button{position:absolute;top:-4px;right:-6px;border-radius:50%}
.runs-panel .runs-answer>div{display:flex;flex-wrap:wrap;gap:4px}
.runs-panel .runs-talk{padding:10px}
.runs-panel .runs-options{flex:none;padding:4px 8px;border-top:1px solid var(--red-ui-secondary-border-color);max-height:50%;overflow:auto;box-sizing:border-box}
.runs-panel .runs-fields{padding:6px 0}
.runs-panel .runs-field{margin-bottom:6px}
.runs-panel .runs-pair{display:flex;gap:8px}
.runs-panel .runs-pair .runs-field{flex:1;min-width:0}
.runs-panel .runs-mocks:not(:empty){margin-top:8px;font-size:12px}
.runs-panel .runs-call:has(>.runs-answer) .runs-output{display:none}
.runs-panel .runs-field label{margin:0;font-size:12px}
.runs-panel .runs-composer{flex:none;padding:6px 8px;border-top:1px solid var(--red-ui-secondary-border-color)}
.runs-panel .runs-ask{display:flex;gap:4px;align-items:flex-end}
.runs-panel .runs-column{display:flex;flex-direction:column;gap:4px}
.runs-panel .runs-pictures .runs-strip{margin:4px 0 8px}
.runs-panel .runs-drop{outline:2px dashed var(--red-ui-form-input-focus-color);outline-offset:-4px}
@container (min-width:560px){.runs-panel .runs-filters>*{flex-basis:15%;width:15%}.runs-panel .runs-filters>input{flex-basis:15%}}
`;
